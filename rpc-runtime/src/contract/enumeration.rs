//! Descriptors of enums without data.

/// All facts about an enum without data.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EnumDescriptor {
    /// The protobuf full name, such as `task.Priority`.
    pub full_name: &'static str,
    /// The protobuf package, such as `task`.
    pub package: &'static str,
    /// The name of the Rust type.
    pub rust_name: &'static str,
    /// The contract's documentation, without comment marks.
    pub docs: &'static str,
    /// The values in the order of their declaration, without the one that keeps unknown numbers.
    pub values: &'static [EnumValueDescriptor],
    /// Whether unknown numbers are kept (`#[field(other)] Unknown(i32)`) instead of refused.
    pub open: bool,
}

impl EnumDescriptor {
    /// The descriptor of the enum `full_name` in `package`.
    #[must_use]
    pub const fn new(
        package: &'static str,
        full_name: &'static str,
        rust_name: &'static str,
        values: &'static [EnumValueDescriptor],
    ) -> Self {
        EnumDescriptor {
            full_name,
            package,
            rust_name,
            docs: "",
            values,
            open: false,
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Says that unknown numbers are kept.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }
}

/// One value of an enum.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EnumValueDescriptor {
    /// The protobuf name, such as `PRIORITY_HIGH`.
    pub name: &'static str,
    /// The number.
    pub number: i32,
    /// The value's documentation, without comment marks.
    pub docs: &'static str,
    /// Whether its use is discouraged.
    pub deprecated: bool,
}

impl EnumValueDescriptor {
    /// The value `name = number`.
    #[must_use]
    pub const fn new(name: &'static str, number: i32) -> Self {
        EnumValueDescriptor {
            name,
            number,
            docs: "",
            deprecated: false,
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Says that the value's use is discouraged.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }
}
