//! Classes of goods: a closed list, a tree of two levels, and the words that name them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::text::normalise;

/// A class of goods, as an index into the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u16);

/// Where a language puts the word that says what the goods are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Before what describes it, as Indonesian, Vietnamese, Thai and Spanish do.
    First,
    /// After it, as English, Chinese and Korean do.
    Last,
}

/// A word that names a class.
#[derive(Debug, Clone)]
pub(crate) struct ClassWord {
    /// As it is written, accents and all.
    pub(crate) written: String,
    pub(crate) class: Class,
    pub(crate) head: Head,
}

/// The closed list and its words.
#[derive(Debug)]
pub struct Classes {
    names: Vec<&'static str>,
    parents: Vec<Option<Class>>,
    mixed: Vec<bool>,
    levels: Vec<f64>,
    words: Vec<ClassWord>,
    /// Class and how it is written, by the normalised word.
    by_word: HashMap<String, (Class, String)>,
}

#[derive(Deserialize)]
struct ClassRow {
    class: &'static str,
    parent: Option<&'static str>,
    /// Its kinds of goods have no common level of price.
    #[serde(default)]
    mixed: bool,
    /// What its goods cost beside those of its parent, roughly; 1 where they cost as much or more.
    #[serde(default = "same_level")]
    level: f64,
}

fn same_level() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct WordsRow {
    class: String,
    language: String,
    words: Vec<String>,
}

static SHIPPED: LazyLock<Arc<Classes>> = LazyLock::new(|| Arc::new(Classes::load()));

impl Classes {
    /// The shipped list.
    pub fn shipped() -> Arc<Self> {
        Arc::clone(&SHIPPED)
    }

    fn load() -> Self {
        static LIST: &str = include_str!("../../defaults/classes.jsonl");
        static WORDS: &str = include_str!("../../defaults/category_words.jsonl");
        let rows: Vec<ClassRow> = lines(LIST);
        let names: Vec<&'static str> = rows.iter().map(|r| r.class).collect();
        let find = |name: &str| names.iter().position(|n| *n == name).map(|i| Class(i as u16));
        let levels = rows.iter().map(|r| r.level).collect();
        let mixed = rows.iter().map(|r| r.mixed).collect();
        let parents = rows.iter().map(|r| r.parent.and_then(find)).collect();
        let mut words = Vec::new();
        let mut by_word = HashMap::new();
        for row in lines::<WordsRow>(WORDS) {
            let class = find(&row.class).unwrap_or_else(|| unreachable!("the shipped words name class {}", row.class));
            let head = match row.language.as_str() {
                "id" | "ms" | "vi" | "th" | "es" | "pt" | "fr" | "it" | "fil" => Head::First,
                _ => Head::Last,
            };
            for written in row.words {
                by_word.entry(normalise(&written)).or_insert((class, written.clone()));
                words.push(ClassWord { written, class, head });
            }
        }
        for (i, name) in names.iter().enumerate() {
            by_word.insert(normalise(name), (Class(i as u16), (*name).to_owned()));
        }
        Self { names, parents, mixed, levels, words, by_word }
    }

    /// The class of that name.
    pub fn by_name(&self, name: &str) -> Option<Class> {
        self.names.iter().position(|n| *n == name).map(|i| Class(i as u16))
    }

    /// Every class's name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied()
    }

    /// A class's name.
    pub fn name(&self, class: Class) -> &'static str {
        self.names[usize::from(class.0)]
    }

    pub(crate) fn words(&self) -> &[ClassWord] {
        &self.words
    }

    /// The class of a category by its whole name, or by the longest class word in it.
    pub fn of_name(&self, name: &str) -> Option<Class> {
        let normalised = normalise(name);
        if let Some((class, _)) = self.by_word.get(&normalised) {
            return Some(*class);
        }
        let tokens: Vec<&str> = normalised.split(' ').collect();
        // "Làm đẹp" has no "dép" in it: accents that are written must agree.
        let written: String = name.to_lowercase();
        let agrees = |word: &str| word.is_ascii() || name.is_ascii() || written.contains(&word.to_lowercase());
        let of = |window: &[&str]| self.by_word.get(&window.join(" ")).filter(|(_, word)| agrees(word)).map(|(class, _)| *class);
        (1..=tokens.len()).rev().find_map(|n| tokens.windows(n).find_map(of))
    }

    /// The class of a category path: its deepest name that says one.
    pub fn of_path(&self, path: &[String]) -> Option<Class> {
        path.iter().rev().find_map(|name| self.of_name(name))
    }

    /// Whether `class` is `ancestor` or under it.
    pub fn is_within(&self, class: Class, ancestor: Class) -> bool {
        class == ancestor || self.parents[usize::from(class.0)] == Some(ancestor)
    }

    /// Whether what goods of a class cost says something of all kinds in it.
    pub(crate) fn has_price_level(&self, class: Class) -> bool {
        !self.mixed[usize::from(class.0)]
    }

    /// What goods of one class cost beside those of another of the same kind, roughly; at most 1.
    pub(crate) fn price_level(&self, class: Class, beside: Class) -> f64 {
        (self.levels[usize::from(class.0)] / self.levels[usize::from(beside.0)]).min(1.0)
    }

    /// Whether the two classes have one parent.
    pub(crate) fn siblings(&self, a: Class, b: Class) -> bool {
        self.parents[usize::from(a.0)].is_some() && self.parents[usize::from(a.0)] == self.parents[usize::from(b.0)]
    }

    /// Whether goods of the two classes may be the same goods, one named more broadly than the other.
    pub fn overlap(&self, a: Class, b: Class) -> bool {
        self.is_within(a, b) || self.is_within(b, a)
    }
}

fn lines<T: Deserialize<'static>>(text: &'static str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| unreachable!("a shipped file: {e}: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_names_map_to_classes_of_the_closed_list() {
        let classes = Classes::shipped();
        let class = |name: &str| classes.of_name(name).map(|c| classes.name(c));
        for (name, expected) in [
            ("shoes", Some("footwear")),
            ("Women's Running Shoes", Some("footwear")),
            ("phone_accessories", Some("phone_accessories")),
            ("Accessories", Some("fashion_accessories")),
            ("zzz", None),
        ] {
            assert_eq!(class(name), expected, "{name}");
        }
        let of = |n: &str| classes.by_name(n).expect("a class");
        assert!(classes.is_within(of("hoodies"), of("clothing")) && !classes.is_within(of("clothing"), of("hoodies")));
        assert!(classes.overlap(of("clothing"), of("hoodies")) && !classes.overlap(of("tops"), of("hoodies")));
    }
}
