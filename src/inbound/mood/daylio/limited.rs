//! Lists in JSON of which no more is kept than is read: an element may take far more memory than it has letters.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The elements of a list, up to one more than `MOST`: what is beyond is passed over.
pub(super) struct Limited<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> Limited<T, MOST> {
    /// All of them; `None` where they are more than may be.
    pub(super) fn all(&self) -> Option<&[T]> {
        (self.0.len() <= MOST).then_some(self.0.as_slice())
    }

    /// The same, to take them.
    pub(super) fn into_all(self) -> Option<Vec<T>> {
        (self.0.len() <= MOST).then_some(self.0)
    }
}

impl<T, const MOST: usize> Default for Limited<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Limited<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(First(PhantomData))
    }
}

struct First<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for First<T, MOST> {
    type Value = Limited<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::new();
        while first.len() <= MOST {
            match list.next_element()? {
                Some(element) => first.push(element),
                None => return Ok(Limited(first)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Limited(first))
    }
}
