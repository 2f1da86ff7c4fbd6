//! Between a contract message and a row.
//!
//! Protobuf is the way in and out: a message's bytes are its fields, each under its number, so that any contract can be
//! stored without code of its own.

use rpc_runtime::Contract;
use rpc_runtime::bytes::Buf;
use rpc_runtime::codegen::{DecodeContext, DecodeError, DefaultValue, Kind, WireType, skip_field};
use rpc_runtime::prost::encoding;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Row, query::Query};

use super::StoreError;
use super::dialect::Dialect;
use super::table::{Column, ColumnType, Table};

/// What one column of one row holds; `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(Option<bool>),
    Int(Option<i64>),
    Double(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(Some(text.to_owned()))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(Some(number))
    }
}

impl Value {
    fn null(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Bool => Value::Bool(None),
            ColumnType::Int => Value::Int(None),
            ColumnType::Double => Value::Double(None),
            ColumnType::Text => Value::Text(None),
            ColumnType::Bytes => Value::Bytes(None),
        }
    }

    fn of_default(default: DefaultValue) -> Result<Self, std::num::TryFromIntError> {
        Ok(match default {
            DefaultValue::Bool(value) => Value::Bool(Some(value)),
            DefaultValue::Int(value) => Value::Int(Some(value)),
            DefaultValue::Uint(value) => Value::Int(Some(value.try_into()?)),
            DefaultValue::Enum(number) => Value::Int(Some(number().into())),
            DefaultValue::Double(value) => Value::Double(Some(value)),
            DefaultValue::Text(value) => Value::from(value),
            DefaultValue::Bytes(value) => Value::Bytes(Some(value.to_vec())),
        })
    }

    fn is_null(&self) -> bool {
        matches!(
            self,
            Value::Bool(None)
                | Value::Int(None)
                | Value::Double(None)
                | Value::Text(None)
                | Value::Bytes(None)
        )
    }

    /// Binds the value as the next parameter.
    pub(crate) fn bind<'q>(
        self,
        query: Query<'q, Any, AnyArguments>,
        dialect: Dialect,
    ) -> Query<'q, Any, AnyArguments> {
        match self {
            Value::Bool(value) if dialect == Dialect::Sqlite => query.bind(value.map(i64::from)),
            Value::Bool(value) => query.bind(value),
            Value::Int(value) => query.bind(value),
            Value::Double(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        }
    }

    fn get(row: &AnyRow, index: usize, column_type: ColumnType, dialect: Dialect) -> sqlx::Result<Self> {
        Ok(match column_type {
            ColumnType::Bool if dialect == Dialect::Sqlite => {
                Value::Bool(row.try_get::<Option<i64>, _>(index)?.map(|number| number != 0))
            }
            ColumnType::Bool => Value::Bool(row.try_get(index)?),
            ColumnType::Int => Value::Int(row.try_get(index)?),
            ColumnType::Double => Value::Double(row.try_get(index)?),
            ColumnType::Text => Value::Text(row.try_get(index)?),
            ColumnType::Bytes => Value::Bytes(row.try_get(index)?),
        })
    }
}

/// The row of a message, one value per column. A field that is absent and not optional is proto3's zero.
pub(crate) fn values_of<T: Contract>(
    item: &T,
    table: &Table,
    dialect: Dialect,
) -> Result<Vec<Value>, StoreError> {
    let mut values = table
        .columns
        .iter()
        .map(|column| {
            if column.nullable {
                Ok(Value::null(column.column_type))
            } else {
                Value::of_default(column.column_type.zero()).map_err(|_| StoreError::too_large(column))
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let message = item.encode_to_vec();
    let mut bytes = message.as_slice();
    while bytes.has_remaining() {
        let (number, wire_type) = encoding::decode_key(&mut bytes)?;
        let place = table.columns.iter().position(|column| column.number == number);
        match place {
            Some(place) => values[place] = read(&table.columns[place], wire_type, &mut bytes)?,
            None => skip_field(wire_type, number, &mut bytes, DecodeContext::default())?,
        }
    }
    for (column, value) in table.columns.iter().zip(&values) {
        if let Some(why) = dialect.refuses(value) {
            return Err(StoreError::CannotHold {
                field: column.name,
                why,
            });
        }
    }
    Ok(values)
}

/// Gives absent optional fields of a new row the defaults that the contract declares.
pub(crate) fn fill_defaults(values: &mut [Value], table: &Table) -> Result<(), StoreError> {
    for (value, column) in values.iter_mut().zip(&table.columns) {
        if let (true, Some(default)) = (value.is_null(), column.default) {
            *value = Value::of_default(default).map_err(|_| StoreError::too_large(column))?;
        }
    }
    Ok(())
}

/// The message of a row.
pub(crate) fn item_of<T: Contract>(row: &AnyRow, table: &Table, dialect: Dialect) -> Result<T, StoreError> {
    let mut bytes = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let value = Value::get(row, index, column.column_type, dialect)?;
        write(column, value, &mut bytes).map_err(|_| StoreError::Foreign { field: column.name })?;
    }
    Ok(T::decode(bytes.as_slice())?)
}

/// Reads one field's value from a message's bytes.
fn read(column: &Column, wire_type: WireType, bytes: &mut impl Buf) -> Result<Value, StoreError> {
    fn get<V: Default>(merge: impl FnOnce(&mut V) -> Result<(), DecodeError>) -> Result<V, DecodeError> {
        let mut value = V::default();
        merge(&mut value)?;
        Ok(value)
    }
    macro_rules! get {
        ($codec:ident) => {
            get(|value| encoding::$codec::merge(wire_type, value, bytes, DecodeContext::default()))?
        };
    }
    macro_rules! int {
        ($codec:ident) => {{
            let number = get!($codec);
            Value::Int(Some(
                i64::try_from(number).map_err(|_| StoreError::too_large(column))?,
            ))
        }};
    }
    Ok(match column.kind {
        Kind::Bool => Value::Bool(Some(get!(bool))),
        Kind::Int32 | Kind::Enum(_) => int!(int32),
        Kind::Int64 => int!(int64),
        Kind::Uint32 => int!(uint32),
        Kind::Uint64 => int!(uint64),
        Kind::Sint32 => int!(sint32),
        Kind::Sint64 => int!(sint64),
        Kind::Fixed32 => int!(fixed32),
        Kind::Fixed64 => int!(fixed64),
        Kind::Sfixed32 => int!(sfixed32),
        Kind::Sfixed64 => int!(sfixed64),
        Kind::Float => Value::Double(Some(f64::from(get!(float)))),
        Kind::Double => Value::Double(Some(get!(double))),
        Kind::String => Value::Text(Some(get!(string))),
        // A message is no column; `Table::of` refused it.
        Kind::Bytes | Kind::Message(_) => Value::Bytes(Some(get(|value: &mut Vec<u8>| {
            encoding::bytes::merge(wire_type, value, bytes, DecodeContext::default())
        })?)),
    })
}

/// Writes one field to a message's bytes; NULL writes nothing.
fn write(column: &Column, value: Value, bytes: &mut Vec<u8>) -> Result<(), std::num::TryFromIntError> {
    let number = column.number;
    macro_rules! put {
        ($codec:ident, $value:expr) => {
            encoding::$codec::encode(number, &$value, bytes)
        };
    }
    match value {
        Value::Bool(Some(value)) => put!(bool, value),
        Value::Text(Some(value)) => put!(string, value),
        Value::Bytes(Some(value)) => put!(bytes, value),
        Value::Double(Some(value)) => match column.kind {
            // It was an `f32` when it was stored.
            Kind::Float => put!(float, (value as f32)),
            _ => put!(double, value),
        },
        Value::Int(Some(value)) => match column.kind {
            Kind::Int64 => put!(int64, value),
            Kind::Uint32 => put!(uint32, value.try_into()?),
            Kind::Uint64 => put!(uint64, value.try_into()?),
            Kind::Sint32 => put!(sint32, value.try_into()?),
            Kind::Sint64 => put!(sint64, value),
            Kind::Fixed32 => put!(fixed32, value.try_into()?),
            Kind::Fixed64 => put!(fixed64, value.try_into()?),
            Kind::Sfixed32 => put!(sfixed32, value.try_into()?),
            Kind::Sfixed64 => put!(sfixed64, value),
            _ => put!(int32, value.try_into()?),
        },
        Value::Bool(None)
        | Value::Int(None)
        | Value::Double(None)
        | Value::Text(None)
        | Value::Bytes(None) => {}
    }
    Ok(())
}
