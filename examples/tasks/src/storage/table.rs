//! The table of a contract, derived from its descriptor: pure data, without any database.

use rpc_runtime::codegen::{Cardinality, DefaultValue, FieldDescriptor, Kind, MessageDescriptor};

/// What a column holds, in the words that all databases share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Bool,
    /// Every whole number of protobuf, and the numbers of enums.
    Int,
    Double,
    Text,
    Bytes,
}

/// One field as a column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) column_type: ColumnType,
    /// `Option` in the contract: absent is NULL. Other columns are never NULL.
    pub(crate) nullable: bool,
    pub(crate) unique: bool,
    pub(crate) index: bool,
    /// The declared default, which rows get that are made without a value.
    pub(crate) default: Option<DefaultValue>,
}

/// The table of a contract.
#[derive(Debug)]
pub(crate) struct Table {
    /// The message's name in snake case.
    pub(crate) name: String,
    /// The columns in the order of the contract's fields.
    pub(crate) columns: Vec<Column>,
    /// Which of them is the primary key.
    pub(crate) id: usize,
    /// Whether each row is somebody's, which a column says that is not of the contract. What is unique is so among the
    /// rows of one owner then.
    pub(crate) owned: bool,
}

/// Why a contract cannot be a table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("{message} has no field with #[field(id)], which the table's primary key is made of")]
    NoId { message: &'static str },
    #[error(
        "{message}.{field} is {what}, and a column holds one scalar: keep it in a contract of its own, or store it as bytes"
    )]
    NotScalar {
        message: &'static str,
        field: &'static str,
        what: &'static str,
    },
}

impl Table {
    /// Derives the table of the contract that `message` describes.
    pub(crate) fn of(message: &MessageDescriptor) -> Result<Self, TableError> {
        let columns = message
            .fields
            .iter()
            .map(|field| {
                Column::of(field).map_err(|what| TableError::NotScalar {
                    message: message.full_name,
                    field: field.name,
                    what,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let id = message
            .fields
            .iter()
            .position(|field| field.id)
            .ok_or(TableError::NoId {
                message: message.full_name,
            })?;
        let name = message.full_name.rsplit('.').next().unwrap_or(message.full_name);
        Ok(Table {
            name: snake_case(name),
            columns,
            id,
            owned: false,
        })
    }

    /// The same, with an owner for each row.
    pub(crate) fn owned(self) -> Self {
        Table { owned: true, ..self }
    }

    /// The column that is the primary key.
    pub(crate) fn id(&self) -> &Column {
        &self.columns[self.id]
    }

    /// The name of the index that keeps `column` unique: in the table, or among the rows of each owner.
    pub(crate) fn unique_index(&self, column: &Column) -> String {
        let of_owner = if self.owned { "_of_owner" } else { "" };
        format!("{}_{}_unique{of_owner}", self.name, column.name)
    }

    /// The name that the index of a table without owners had, before its rows were given some.
    pub(crate) fn former_unique_index(&self, column: &Column) -> Option<String> {
        (self.owned && column.unique).then(|| format!("{}_{}_unique", self.name, column.name))
    }
}

impl Column {
    fn of(field: &FieldDescriptor) -> Result<Self, &'static str> {
        let nullable = match field.cardinality {
            Cardinality::Singular => false,
            Cardinality::Optional => true,
            Cardinality::Repeated => return Err("a list"),
            Cardinality::Map(_) => return Err("a map"),
            Cardinality::Member => return Err("a member of a oneof"),
        };
        Ok(Column {
            name: field.name,
            number: field.number,
            kind: field.kind,
            column_type: ColumnType::of(field.kind)?,
            nullable,
            unique: field.unique,
            index: field.index,
            default: field.default,
        })
    }
}

impl ColumnType {
    fn of(kind: Kind) -> Result<Self, &'static str> {
        match kind {
            Kind::Bool => Ok(Self::Bool),
            Kind::Int32
            | Kind::Int64
            | Kind::Uint32
            | Kind::Uint64
            | Kind::Sint32
            | Kind::Sint64
            | Kind::Fixed32
            | Kind::Fixed64
            | Kind::Sfixed32
            | Kind::Sfixed64
            | Kind::Enum(_) => Ok(Self::Int),
            Kind::Float | Kind::Double => Ok(Self::Double),
            Kind::String => Ok(Self::Text),
            Kind::Bytes => Ok(Self::Bytes),
            Kind::Message(_) => Err("a message"),
        }
    }

    /// What proto3 reads where nothing was sent, and a column where nothing was stored.
    pub(crate) fn zero(self) -> DefaultValue {
        match self {
            Self::Bool => DefaultValue::Bool(false),
            Self::Int => DefaultValue::Int(0),
            Self::Double => DefaultValue::Double(0.0),
            Self::Text => DefaultValue::Text(""),
            Self::Bytes => DefaultValue::Bytes(b""),
        }
    }
}

/// `OrderLine` becomes `order_line`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (position, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
