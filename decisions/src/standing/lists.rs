//! Millions of short lists in two tables: most have one item, and a list of its own each would cost more than what it holds.

/// Where a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(u32);

/// The list without items.
pub(super) const EMPTY: Head = Head(u32::MAX);

/// The items of all lists, and which comes next.
pub(super) struct Lists<T> {
    items: Vec<T>,
    next: Vec<Head>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: Vec::new() }
    }
}

impl<T> Lists<T> {
    /// The items of a list, the last one first.
    pub(super) fn iter(&self, head: Head) -> impl Iterator<Item = &T> {
        self.places(head).filter_map(|at| self.items.get(at))
    }

    /// The first item for which `wanted` holds.
    pub(super) fn find(&mut self, head: Head, wanted: impl Fn(&T) -> bool) -> Option<&mut T> {
        let at = self.places(head).find(|at| self.items.get(*at).is_some_and(&wanted))?;
        self.items.get_mut(at)
    }

    /// Puts an item before the others. What comes after four billion is passed over.
    pub(super) fn push(&mut self, head: &mut Head, item: T) {
        let Some(at) = u32::try_from(self.items.len()).ok().filter(|at| *at < u32::MAX) else { return };
        self.items.push(item);
        self.next.push(*head);
        *head = Head(at);
    }

    fn places(&self, head: Head) -> impl Iterator<Item = usize> {
        let place = |head: Head| usize::try_from(head.0).ok().filter(|at| *at < self.items.len());
        std::iter::successors(place(head), move |at| place(self.next[*at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_own_items() {
        let mut lists = Lists::default();
        let mut heads = [EMPTY; 3];
        for n in 0..30 {
            lists.push(&mut heads[n % 3], n);
        }
        if let Some(item) = lists.find(heads[1], |n| *n == 4) {
            *item = 100;
        }
        assert_eq!(lists.iter(heads[1]).copied().collect::<Vec<_>>(), [28, 25, 22, 19, 16, 13, 10, 7, 100, 1]);
        assert_eq!((lists.iter(heads[2]).count(), lists.iter(EMPTY).count(), lists.find(heads[0], |n| *n == 1)), (10, 0, None));
    }
}
