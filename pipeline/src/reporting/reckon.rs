//! The figures of what was gathered.

use std::collections::{BTreeMap, BTreeSet};

use touchstone_schemas::{AppealOutcome, Case, GiverType, Origin, ReceiptOutcome, RemovalOp, Standing, VerdictKind};

use super::figures::Figures;
use super::tally::{Key, Matter, Only, Order, PlaceIndex, Said, Shown, Tally, key};

/// Cases that are shown.
const MOST_CASES: usize = 20;

/// Platform and brand; nothing stands for all of them.
pub(super) type Scope = (Option<String>, Option<String>);

/// What a brand and a platform went through together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) scopes: BTreeMap<Scope, Figures>,
    /// The last filings that were refused.
    pub(super) refused: Vec<Shown>,
    /// Of each brand, as of the end.
    pub(super) standing: Vec<Standing>,
    /// The most urgent, as they stand now.
    pub(super) cases: Vec<Case>,
}

impl Report {
    /// Whether nothing at all was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.scopes.values().all(|figures| *figures == Figures::default()) && self.standing.is_empty() && self.cases.is_empty()
    }
}

impl Tally {
    /// What was gathered, in figures. `due` tells when an answer is due in a market that was asked for at a moment, both in milliseconds
    /// since 1970; nothing where that is not known.
    pub(crate) fn report(&self, due: impl Fn(&str, i64) -> Option<i64>) -> Report {
        let mut scopes = Scopes::new(self);
        let orders = self.orders_of_matters();
        let said = self.verdicts(&mut scopes);
        for (id, matter) in &self.matters {
            let (orders, said) = (orders.get(id).map_or(&[][..], Vec::as_slice), said.get(id).map_or(&[][..], Vec::as_slice));
            self.matter(&mut scopes, matter, orders, said, &due);
        }
        self.base_rates.iter().for_each(|(place, rate)| scopes.each(*place, |f| f.base_rates.extend([*rate])));
        self.removals(&mut scopes, &said);
        self.what_came_back(&mut scopes);
        self.notices(&mut scopes);
        Report {
            from: self.period.from.to_string(),
            to: self.period.to.to_string(),
            scopes: scopes.finish(),
            refused: self.shown.iter().cloned().collect(),
            standing: self.standing.values().map(|(_, standing)| standing.clone()).collect(),
            cases: self.top_cases(),
        }
    }

    /// What was removed on the scanner's word, by matter.
    fn orders_of_matters(&self) -> BTreeMap<Key, Vec<i64>> {
        let mut orders: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        for order in self.orders.values().filter(|o| o.op == RemovalOp::Remove && o.origin == Origin::Proactive && !o.shadow) {
            order.suspect.into_iter().for_each(|suspect| orders.entry(suspect).or_default().push(order.at));
        }
        orders
    }

    /// Counts answers, and gives the verdicts of each matter that were not refused, in the order of their times.
    fn verdicts(&self, scopes: &mut Scopes) -> BTreeMap<Key, Vec<Said>> {
        let mut of_matters: BTreeMap<Key, Vec<Said>> = BTreeMap::new();
        for (said, _) in self.said.iter().filter(|(id, (_, times))| !self.is_refused(id, *times)).map(|(_, said)| said) {
            if self.period.has(said.at) {
                scopes.each(said.place, |f| match said.by {
                    GiverType::Moderator => f.moderated += 1,
                    GiverType::Brand | GiverType::Agent => *f.answers.entry(said.verdict).or_default() += 1,
                });
            }
            of_matters.entry(said.suspect).or_default().push(*said);
        }
        of_matters.values_mut().for_each(|said| said.sort_unstable_by_key(|s| (s.at, *s)));
        of_matters
    }

    /// Whether every record of a filing was refused.
    fn is_refused(&self, id: &Key, times: u64) -> bool {
        self.refused.get(id).is_some_and(|refused| *refused >= times)
    }

    fn matter(&self, scopes: &mut Scopes, matter: &Matter, orders: &[i64], said: &[Said], due: &impl Fn(&str, i64) -> Option<i64>) {
        for (_, because) in matter.withdrawn.iter().filter(|(at, _)| self.period.has(*at)) {
            scopes.each(matter.place, |f| *f.withdrawn.entry(*because).or_default() += 1);
        }
        if let Some(last) = matter.last {
            scopes.each(matter.place, |f| *f.suspects.entry(last.band).or_default() += 1);
        }
        let mut contents = matter.contents.clone();
        contents.sort_unstable_by_key(|(content, first)| (*first, *content));
        for (i, (content, first)) in contents.iter().enumerate() {
            // What was said before the first look waited for it.
            let begin = if i == 0 { i64::MIN } else { *first };
            let end = contents.get(i + 1).map_or(i64::MAX, |(_, next)| *next);
            let said: Vec<&Said> = said.iter().filter(|s| (begin..end).contains(&s.at)).collect();
            if self.period.has(*first) && !orders.iter().any(|at| (*first..end).contains(at)) {
                self.question(scopes, matter.place, *first, &said, due);
            }
            if let Some(last) = matter.last.filter(|last| last.content == *content)
                && let Some(holds) = holds(&said)
            {
                scopes.each(matter.place, |f| {
                    let (fakes, judged) = f.judged.entry(last.band).or_default();
                    *fakes += usize::from(holds == VerdictKind::Counterfeit);
                    *judged += 1;
                });
            }
        }
    }

    /// Counts what the brand was to answer, and how soon it did.
    fn question(&self, scopes: &mut Scopes, place: PlaceIndex, asked: i64, said: &[&Said], due: &impl Fn(&str, i64) -> Option<i64>) {
        let answer = said.iter().find(|s| s.by != GiverType::Moderator).map(|s| s.at);
        let due = due(&self.places[place].2, asked).filter(|due| answer.is_some() || !self.period.is_over(*due));
        scopes.each(place, |f| {
            f.asked += 1;
            f.answered += usize::from(answer.is_some());
            f.times.extend(answer.map(|at| (at - asked).max(0)));
            f.due += usize::from(due.is_some());
            f.in_time += usize::from(due.zip(answer).is_some_and(|(due, at)| at <= due));
        });
    }

    fn removals(&self, scopes: &mut Scopes, said: &BTreeMap<Key, Vec<Said>>) {
        let matters: BTreeMap<(PlaceIndex, Key), Key> = self.matters.iter().map(|(id, m)| ((m.place, m.listing), *id)).collect();
        for order in self.orders.values().filter(|o| self.period.has(o.at)) {
            match (order.op, order.shadow) {
                (RemovalOp::Withdraw, true) => {}
                (RemovalOp::Withdraw, false) => {
                    let cause = self.cause(order, &matters, said);
                    scopes.each(order.place, |f| *f.reversed.entry(cause).or_default() += 1);
                }
                (RemovalOp::Remove, true) => scopes.each(order.place, |f| *f.shadow.entry(order.origin).or_default() += 1),
                (RemovalOp::Remove, false) => {
                    let unprompted = self.noticed.get(&order.listing).is_none_or(|first| *first > order.at);
                    scopes.each(order.place, |f| {
                        *f.removals.entry(order.origin).or_default() += 1;
                        f.unprompted += usize::from(unprompted);
                    });
                }
            }
        }
    }

    /// Why a removal was taken back: the last thing before that which makes one be taken back.
    fn cause(&self, order: &Order, matters: &BTreeMap<(PlaceIndex, Key), Key>, said: &BTreeMap<Key, Vec<Said>>) -> &'static str {
        let removal = order.reverses.unwrap_or_default();
        let suspect = order.suspect.or_else(|| matters.get(&(order.place, order.listing)).copied()).unwrap_or_default();
        let won = self.appeals.range((removal, Key::default(), AppealOutcome::Opened, i64::MIN)..);
        let won = won.take_while(|a| a.0 == removal).filter(|a| a.2 == AppealOutcome::Won).map(|a| (a.3, "appeal_won"));
        let gone = self.receipts.range((removal, ReceiptOutcome::Done, i64::MIN)..);
        let gone = gone.take_while(|r| r.0 == removal).filter(|r| r.1 == ReceiptOutcome::NotFound).map(|r| (r.2, "listing_removed"));
        let withdrawn = self.matters.get(&suspect).into_iter().flat_map(|m| &m.withdrawn).map(|(at, because)| (*at, because.as_str()));
        let said = said.get(&suspect).into_iter().flatten();
        let said = said.filter(|s| matches!(s.verdict, VerdictKind::Genuine | VerdictKind::Grey)).map(|s| (s.at, s.verdict.as_str()));
        won.chain(gone).chain(withdrawn).chain(said).filter(|(at, _)| *at <= order.at).max().map_or("other", |(_, cause)| cause)
    }

    /// Appeals and receipts: they name the removal alone.
    fn what_came_back(&self, scopes: &mut Scopes) {
        for (removal, _, outcome, at) in &self.appeals {
            if let Some(order) = self.orders.get(removal).filter(|_| self.period.has(*at)) {
                scopes.each(order.place, |f| *f.appeals.entry(*outcome).or_default() += 1);
            }
        }
        for (removal, outcome, at) in &self.receipts {
            if let Some(order) = self.orders.get(removal).filter(|_| self.period.has(*at)) {
                scopes.each(order.place, |f| *f.receipts.entry(*outcome).or_default() += 1);
            }
        }
    }

    fn notices(&self, scopes: &mut Scopes) {
        for (id, (filed, times)) in &self.filed {
            if self.period.has(filed.at) && !self.is_refused(id, *times) {
                scopes.each(filed.place, |f| f.accepted += 1);
            }
        }
        for (ground, (n, guidance)) in &self.grounds {
            scopes.each(ground.place, |f| {
                let refused = if ground.notice { &mut f.refused_notices } else { &mut f.refused_verdicts };
                let (count, words) = refused.entry(ground.reason.clone()).or_insert_with(|| (0, guidance.clone()));
                *count += n;
                if guidance < words {
                    words.clone_from(guidance);
                }
            });
        }
    }

    /// The most urgent cases that the report is about; what was joined into another is no more.
    fn top_cases(&self) -> Vec<Case> {
        let listings: BTreeSet<Key> = self.matters.values().map(|m| m.listing).collect();
        let is_here = |case: &&Case| {
            let sold_here = case.sellers.iter().any(|s| s.split_once(':').is_some_and(|(platform, _)| self.only.platform(platform)));
            // A case tells no brands: they are those of its listings.
            let of_brand = || case.joins.iter().flat_map(|join| &join.listings).any(|l| listings.contains(&key(l)));
            case.merged_into.is_none() && sold_here && (self.only.brand.is_none() || of_brand())
        };
        let mut cases: Vec<Case> = self.cases.values().filter_map(|(_, case)| case.as_ref()).filter(is_here).cloned().collect();
        cases.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.case_id.cmp(&b.case_id)));
        cases.truncate(MOST_CASES);
        cases
    }
}

/// The verdict that holds: of whoever ranks highest, the last; `unsure` says nothing.
fn holds(said: &[&Said]) -> Option<VerdictKind> {
    let rank = |by| match by {
        GiverType::Agent => 0,
        GiverType::Brand => 1,
        GiverType::Moderator => 2,
    };
    let says = said.iter().filter(|s| s.verdict != VerdictKind::Unsure);
    says.max_by_key(|s| (rank(s.by), s.at, ***s)).map(|s| s.verdict)
}

/// The figures of all scopes, and which of them each place belongs to.
struct Scopes {
    names: Vec<Scope>,
    figures: Vec<Figures>,
    of_places: Vec<Vec<usize>>,
}

impl Scopes {
    /// There is no scope of all brands where the report is of one, nor of all platforms.
    fn new(tally: &Tally) -> Self {
        let Only { brand: only_brand, platform: only_platform } = &tally.only;
        let mut indices = BTreeMap::from([((only_platform.clone(), only_brand.clone()), 0)]);
        let wider =
            |name: &String, only: &Option<String>| if only.is_some() { vec![Some(name.clone())] } else { vec![None, Some(name.clone())] };
        let mut of_places = Vec::new();
        for (platform, brand, _) in &tally.places {
            let mut of_place = Vec::new();
            for platform in wider(platform, only_platform) {
                for brand in wider(brand, only_brand) {
                    let next = indices.len();
                    of_place.push(*indices.entry((platform.clone(), brand)).or_insert(next));
                }
            }
            of_places.push(of_place);
        }
        let mut names = vec![Scope::default(); indices.len()];
        indices.into_iter().for_each(|(name, index)| names[index] = name);
        Self { figures: vec![Figures::default(); names.len()], names, of_places }
    }

    /// Counts something where it belongs.
    fn each(&mut self, place: PlaceIndex, mut count: impl FnMut(&mut Figures)) {
        self.of_places[place].iter().for_each(|scope| count(&mut self.figures[*scope]));
    }

    /// Those in which anything happened, and the widest.
    fn finish(self) -> BTreeMap<Scope, Figures> {
        let all = self.names.into_iter().zip(self.figures).enumerate();
        all.filter(|(i, (_, figures))| *i == 0 || *figures != Figures::default()).map(|(_, scope)| scope).collect()
    }
}
