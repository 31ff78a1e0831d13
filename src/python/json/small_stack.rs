//! A stack that lives on the call stack until it holds more than `N` elements.

/// The first `N` elements are kept inline; one more moves them all to the heap.
pub(crate) struct SmallStack<T, const N: usize> {
    inline: [T; N],
    /// How many inline elements are in use; 0 while `spilled` holds the elements.
    used: usize,
    spilled: Vec<T>,
}

impl<T: Copy + Default, const N: usize> SmallStack<T, N> {
    pub(crate) fn new() -> Self {
        SmallStack { inline: [T::default(); N], used: 0, spilled: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.used + self.spilled.len()
    }

    pub(crate) fn push(&mut self, element: T) {
        if self.spilled.is_empty() {
            if let Some(slot) = self.inline.get_mut(self.used) {
                *slot = element;
                self.used += 1;
                return;
            }
            self.spilled.extend_from_slice(&self.inline);
            self.used = 0;
        }
        self.spilled.push(element);
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let last = self.as_slice().last().copied()?;
        self.truncate(self.len() - 1);
        Some(last)
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.used = self.used.min(len);
        self.spilled.truncate(len);
    }

    pub(crate) fn last_mut(&mut self) -> Option<&mut T> {
        self.as_mut_slice().last_mut()
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        if self.spilled.is_empty() { self.inline.get(..self.used).unwrap_or_default() } else { &self.spilled }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        if self.spilled.is_empty() { self.inline.get_mut(..self.used).unwrap_or_default() } else { &mut self.spilled }
    }
}

#[cfg(test)]
mod tests {
    use super::SmallStack;

    #[test]
    fn keeps_its_order_across_the_move_to_the_heap() {
        let mut stack = SmallStack::<u32, 2>::new();
        for element in 0..5 {
            stack.push(element);
            assert_eq!(stack.len() as u32, element + 1);
        }
        assert_eq!(stack.as_slice(), [0, 1, 2, 3, 4]);
        assert_eq!(stack.pop(), Some(4));
        stack.truncate(1);
        assert_eq!(stack.as_mut_slice(), [0]);
        assert_eq!(stack.pop(), Some(0));
        assert_eq!(stack.pop(), None);
        stack.push(7);
        assert_eq!(stack.last_mut(), Some(&mut 7));
    }
}
