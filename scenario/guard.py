"""The flood guard: removals of a day by brand, by rule and by reference picture, each partition by itself."""

from collections import Counter


class Guard:
    """Counts what was ordered."""

    def __init__(self, policy):
        self.policy, self.days, self.held = policy, Counter(), 0

    def lets(self, partition, brand, look, day):
        """Whether one more removal stays within the caps; it is counted then."""
        policy = self.policy
        caps = {('brand', brand): policy.most_per_brand}
        if look and look.rule:
            caps[('rule', brand, look.rule)] = policy.most_per_rule
        if look and look.reference:
            caps[('reference', look.reference)] = policy.most_per_reference
        # Rounded up: a cap of one lets one pass in each partition.
        keys = {(partition, day, *key): -(-cap // policy.partitions) for key, cap in caps.items()}
        if any(self.days[key] >= cap for key, cap in keys.items()):
            self.held += 1
            return False
        self.days.update(keys.keys())
        return True
