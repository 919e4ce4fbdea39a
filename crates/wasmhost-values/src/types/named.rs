//! Items with names, such as the fields of a record.

use std::collections::HashMap;
use std::fmt;

/// Items with names, in order. Finding one by its name takes the same time however many there are.
#[derive(Clone)]
pub struct Named<T> {
    items: Vec<(String, T)>,
    // An enum may have thousands of cases, and an array thousands of its values.
    indices: HashMap<String, usize>,
}

impl<T> Named<T> {
    /// Finds the item with a name, and its index.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &T)> {
        let index = *self.indices.get(name)?;
        Some((index, &self.items[index].1))
    }

    /// Finds the item with a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.find(name).map(|(_, item)| item)
    }

    /// The items with their names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> + DoubleEndedIterator {
        self.items.iter().map(|(name, item)| (name.as_str(), item))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.items.iter().map(|(name, _)| name.as_str())
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    /// Of two items with one name, which no component has, the first is found by it.
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        let mut indices = HashMap::with_capacity(items.len());
        for (index, (name, _)) in items.iter().enumerate() {
            indices.entry(name.clone()).or_insert(index);
        }
        Self { items, indices }
    }
}

/// Writes the names alone.
impl<T> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
