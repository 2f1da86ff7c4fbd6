//! What the language does not do yet while it compiles.

/// Whether two texts are the same bytes.
pub(crate) const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_where_all_their_bytes_are() {
        for (one, other, same) in [
            ("", "", true),
            ("ab", "ab", true),
            ("ab", "ac", false),
            ("a", "ab", false),
            ("ab", "a", false),
        ] {
            assert_eq!(is_same(one.as_bytes(), other.as_bytes()), same, "{one} {other}");
        }
    }
}
