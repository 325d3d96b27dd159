//! A map that forgets: when the present is full it becomes the past, and what was the past is gone.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem::take;

pub(super) struct Generations<K, V> {
    /// Each with its weight.
    present: HashMap<K, (V, usize)>,
    past: HashMap<K, (V, usize)>,
    /// The weight of the present.
    taken: usize,
    /// The most that a generation weighs: both weigh twice as much.
    most: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { present: HashMap::new(), past: HashMap::new(), taken: 0, most }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.present.get(key).or_else(|| self.past.get(key)).map(|(value, _)| value)
    }

    pub(super) fn put(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if self.taken + weight > self.most {
            self.past = take(&mut self.present);
            self.taken = 0;
        }
        self.taken += weight;
        self.present.insert(key, (value, weight));
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.taken -= self.present.remove(key).map_or(0, |(_, weight)| weight);
        self.past.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut map = Generations::new(3);
        for key in 0..7 {
            map.put(key, key, 1);
        }
        let known: Vec<i32> = (0..7).filter(|key| map.get(key).is_some()).collect();
        assert_eq!(known, [3, 4, 5, 6]);
    }

    #[test]
    fn a_key_counts_once() {
        let mut map = Generations::new(3);
        for value in 0..100 {
            map.put("a", value, 1);
            map.put("b", value, 1);
        }
        assert_eq!((map.get("a"), map.get("b"), map.taken, map.past.len()), (Some(&99), Some(&99), 2, 0));
        map.remove("a");
        map.remove("none");
        assert_eq!((map.get("a"), map.taken), (None, 1));
    }
}
