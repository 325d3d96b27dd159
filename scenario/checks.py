"""What is refused at once: foreign verdicts, and notices that fail a check."""

from scenario.records import DOWN, suspect_id


def foreign(facts, row, at):
    """Whether a verdict's giver cannot speak, or speaks of nothing."""
    if row['brand_id'] not in facts.brands:
        return True
    if row['suspect_id'] != suspect_id(row['platform'], row['market'], row['listing_id'], row['brand_id']):
        return True
    if row['by']['type'] == 'agent':
        agent = facts.agents.get(row['by']['id'])
        return agent is None or not agent.acts(row['brand_id'], row['market'], at)
    return False


def reporter(facts, row, at):
    """Why somebody may not report, if so."""
    brand, market = row['brand_id'], row['target']['market']
    if brand not in facts.brands:
        return 'unknown_brand'
    if row['by']['type'] == 'agent':
        agent = facts.agents.get(row['by']['id'])
        if agent is None or brand not in agent.brands:
            return 'not_the_reporters_brand'
        if agent.over(at):
            return 'agents_term_over'
        if agent.markets and market not in agent.markets:
            return 'territory_not_covered'
    if not facts.covers_market(brand, market):
        return 'territory_not_covered'
    return None


def notice(facts, policy, row, at, matter, of_order, known):
    """Why a notice against a listing is refused, if so; `of_order` of its order were accepted, `known` is its id."""
    if known:
        return 'double'
    reason = reporter(facts, row, at)
    if reason:
        return reason
    if matter is not None and matter.look and not facts.covers_class(row['brand_id'], matter.look.category):
        return 'class_not_covered'
    if matter is not None and matter.life in DOWN:
        return 'already_down'
    if matter is not None and matter.life == 'withdrawn' and matter.because == 'listing_removed':
        return 'no_such_listing'
    if row.get('order_id') and of_order >= policy.most_listings:
        return 'order_too_large'
    return None
