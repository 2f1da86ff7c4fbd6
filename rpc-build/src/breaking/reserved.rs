//! Numbers and names that must not be given out again: once reserved, reserved for good.

use std::ops::RangeInclusive;

use prost_types::{DescriptorProto, EnumDescriptorProto};

use super::{Comparison, Element, Rule};

/// Numbers, as inclusive ranges that are sorted and do not touch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<RangeInclusive<i32>>);

impl Ranges {
    fn new(ranges: impl IntoIterator<Item = RangeInclusive<i32>>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        sorted.sort_by_key(|range| (*range.start(), *range.end()));
        let mut collapsed: Vec<RangeInclusive<i32>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match collapsed.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => collapsed.push(range),
            }
        }
        Ranges(collapsed)
    }

    /// What a message reserves. Descriptors give the end of these as exclusive.
    pub(super) fn reserved_of_message(message: &DescriptorProto) -> Self {
        Self::new(
            message
                .reserved_range
                .iter()
                .map(|range| range.start()..=range.end().saturating_sub(1)),
        )
    }

    /// What a message leaves to extensions. Descriptors give the end of these as exclusive.
    fn extensions_of_message(message: &DescriptorProto) -> Self {
        Self::new(
            message
                .extension_range
                .iter()
                .map(|range| range.start()..=range.end().saturating_sub(1)),
        )
    }

    /// What an enum reserves. Descriptors give the end of these as inclusive.
    pub(super) fn reserved_of_enum(enumeration: &EnumDescriptorProto) -> Self {
        Self::new(
            enumeration
                .reserved_range
                .iter()
                .map(|range| range.start()..=range.end()),
        )
    }

    pub(super) fn contains(&self, number: i32) -> bool {
        self.0.iter().any(|range| range.contains(&number))
    }

    /// The numbers of `self` that `other` lacks.
    fn without(&self, other: &Ranges) -> Ranges {
        let mut missing = Vec::new();
        for range in &self.0 {
            let (mut start, end) = (*range.start(), *range.end());
            for taken in &other.0 {
                if *taken.end() < start || *taken.start() > end {
                    continue;
                }
                if start < *taken.start() {
                    missing.push(start..=taken.start() - 1);
                }
                start = taken.end().saturating_add(1);
                if *taken.end() >= end {
                    break;
                }
            }
            let covered = other.0.iter().any(|taken| taken.contains(&end));
            if !covered {
                missing.push(start..=end);
            }
        }
        Ranges(missing)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges as `reserved` takes them, in a `.proto` and in a contract: `2, 5 to 9`.
    fn written(&self, to: &str) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|range| match (range.start(), range.end()) {
                (start, end) if start == end => start.to_string(),
                (start, end) => format!("{start}{to}{end}"),
            })
            .collect();
        parts.join(", ")
    }
}

/// What a message reserves, or leaves to extensions.
pub(super) fn check_reserved_message(
    cx: &mut Comparison<'_>,
    name: &str,
    old: &DescriptorProto,
    new: &DescriptorProto,
) {
    let numbers = Ranges::reserved_of_message(old).without(&Ranges::reserved_of_message(new));
    let names = missing_names(&old.reserved_name, &new.reserved_name);
    check_reserved(
        cx,
        Rule::ReservedMessageNoDelete,
        &format!("`{name}`"),
        &Element::message(name),
        &numbers,
        &names,
        "a field that goes by it would be read by old clients as the one that is gone",
    );
    let extensions = Ranges::extensions_of_message(old).without(&Ranges::extensions_of_message(new));
    if !extensions.is_empty() {
        cx.breaking(
            vec![Rule::ExtensionMessageNoDelete],
            Element::message(name),
            Some(Element::message(name)),
            format!(
                "message `{name}` no longer leaves the numbers {} to extensions",
                extensions.written(" to ")
            ),
            format!("keep extensions {};", extensions.written(" to ")),
        );
    }
}

/// What an enum reserves.
pub(super) fn check_reserved_enum(
    cx: &mut Comparison<'_>,
    name: &str,
    old: &EnumDescriptorProto,
    new: &EnumDescriptorProto,
) {
    let numbers = Ranges::reserved_of_enum(old).without(&Ranges::reserved_of_enum(new));
    let names = missing_names(&old.reserved_name, &new.reserved_name);
    check_reserved(
        cx,
        Rule::ReservedEnumNoDelete,
        &format!("`{name}`"),
        &Element::enumeration(name),
        &numbers,
        &names,
        "a value that goes by it would be read by old clients as the one that is gone",
    );
}

fn check_reserved(
    cx: &mut Comparison<'_>,
    rule: Rule,
    owner: &str,
    element: &Element,
    numbers: &Ranges,
    names: &[String],
    why: &str,
) {
    if numbers.is_empty() && names.is_empty() {
        return;
    }
    let list = |numbers: String| {
        let names = names.iter().map(|name| format!("{name:?}"));
        let parts: Vec<String> = Some(numbers)
            .filter(|numbers| !numbers.is_empty())
            .into_iter()
            .chain(names)
            .collect();
        parts.join(", ")
    };
    cx.breaking(
        vec![rule],
        element.clone(),
        Some(element.clone()),
        format!(
            "{owner} no longer reserves {}; {why}",
            list(numbers.written(" to "))
        ),
        format!("keep #[contract(reserved({}))]", list(numbers.written("..="))),
    );
}

fn missing_names(old: &[String], new: &[String]) -> Vec<String> {
    old.iter().filter(|name| !new.contains(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_and_overlapping_ranges_collapse() {
        assert_eq!(
            Ranges::new([5..=7, 1..=2, 3..=3, 6..=9]),
            Ranges(vec![1..=3, 5..=9])
        );
    }

    #[test]
    fn what_is_missing_is_told_exactly() {
        let old = Ranges::new([1..=10, 20..=i32::MAX]);
        let missing = |new: &[RangeInclusive<i32>]| old.without(&Ranges::new(new.iter().cloned())).0;
        assert_eq!(missing(&[]), [1..=10, 20..=i32::MAX]);
        assert_eq!(missing(&[3..=4, 8..=25]), [1..=2, 5..=7, 26..=i32::MAX]);
        assert_eq!(missing(&[0..=10, 15..=i32::MAX]), []);
        assert_eq!(missing(&[1..=9, 21..=i32::MAX]), [10..=10, 20..=20]);
    }
}
