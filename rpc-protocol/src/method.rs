//! How a method is addressed.

/// The number by which a method is called: FNV-1a 64 over the UTF-8 of its full name, such as
/// `task.TaskService/AddTask`.
///
/// It depends on the name only, so that it does not change when contracts are added or reordered. 0 is reserved (a
/// request then carries the name): a name whose number is 0 must be given another by hand.
///
/// | name | number |
/// |---|---|
/// | (empty) | `0xcbf29ce484222325` |
/// | `a` | `0xaf63dc4c8601ec8c` |
/// | `foobar` | `0x85944171f73967e8` |
/// | `task.TaskService/AddTask` | `0xedfea793aa22e9fb` |
///
/// ```
/// const ADD_TASK: u64 = rpc_protocol::method_number("task.TaskService/AddTask");
/// assert_eq!(rpc_protocol::method_number("foobar"), 0x85944171f73967e8);
/// assert_ne!(ADD_TASK, rpc_protocol::method_number("task.TaskService/DeleteTask"));
/// ```
#[must_use]
pub const fn method_number(full_name: &str) -> u64 {
    let bytes = full_name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0;
    while index < bytes.len() {
        hash ^= bytes[index] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

/// A method, as a request addresses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MethodRef {
    /// By its [`method_number`].
    Number(u64),
    /// By its full name. Empty where the request named no method at all.
    Name(String),
}

#[cfg(test)]
mod tests {
    use super::method_number;

    /// From the FNV reference vectors, <http://www.isthe.com/chongo/src/fnv/test_fnv.c>, and one of ours.
    #[test]
    fn method_numbers_are_those_of_the_published_test_vectors() {
        assert_eq!(method_number(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(method_number("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(method_number("b"), 0xaf63_df4c_8601_f1a5);
        assert_eq!(method_number("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(method_number("task.TaskService/AddTask"), 0xedfe_a793_aa22_e9fb);
    }
}
