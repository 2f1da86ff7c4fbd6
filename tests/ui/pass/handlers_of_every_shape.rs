//! A handler takes the context, the data, both or neither, in any order, and may name its lifetimes.
#![deny(warnings)]

use rpc_runtime::{Context, Status, contract, rpc};
use std::marker::PhantomData;

#[contract(package = "shapes", detached)]
pub struct Shape {
    pub sides: u32,
}

#[contract(package = "shapes", detached)]
pub trait Shapes {
    async fn both(&self, cx: &Context, shape: Shape) -> Result<Shape, Status>;
    async fn swapped(&self, shape: Shape, cx: &Context) -> Result<Shape, Status>;
    async fn data(&self, shape: Shape) -> Result<(), Status>;
    async fn context(&self, cx: &Context) -> Result<Shape, Status>;
    async fn neither(&self) -> Result<(), Status>;
    async fn scalar(&self, name: String) -> Result<u64, Status>;
    async fn with_lifetimes<'a>(&'a self, cx: &'a Context, shape: Shape) -> Result<Shape, Status>;
    async fn qualified(&self, cx: &rpc_runtime::Context, shape: self::Shape) -> std::result::Result<crate::Shape, rpc_runtime::Status>;
    /// Documented, and configured.
    #[message(name = "Renamed", deadline = "5s", idempotent)]
    #[allow(clippy::unused_async)]
    #[must_use]
    async fn configured(&self, _: Shape) -> Result<Shape, Status>;
}

struct Service;

impl Shapes for Service {
    async fn both(&self, _: &Context, shape: Shape) -> Result<Shape, Status> {
        Ok(shape)
    }
    async fn swapped(&self, shape: Shape, _: &Context) -> Result<Shape, Status> {
        Ok(shape)
    }
    async fn data(&self, _: Shape) -> Result<(), Status> {
        Ok(())
    }
    async fn context(&self, _: &Context) -> Result<Shape, Status> {
        Ok(Shape::default())
    }
    async fn neither(&self) -> Result<(), Status> {
        Ok(())
    }
    async fn scalar(&self, name: String) -> Result<u64, Status> {
        Ok(name.len() as u64)
    }
    async fn with_lifetimes<'a>(&'a self, _: &'a Context, shape: Shape) -> Result<Shape, Status> {
        Ok(shape)
    }
    async fn qualified(&self, _: &Context, shape: Shape) -> Result<Shape, Status> {
        Ok(shape)
    }
    async fn configured(&self, shape: Shape) -> Result<Shape, Status> {
        Ok(shape)
    }
}

pub struct ShapeGateway<S, M = ()>
where
    S: Shapes,
{
    service: S,
    mark: PhantomData<M>,
}

#[rpc("shapes", detached, auth, guard = "painter")]
impl<S, M> ShapeGateway<S, M>
where
    S: Shapes,
    M: Send + Sync + 'static,
{
    /// Not a handler.
    pub fn new(service: S) -> Self {
        Self { service, mark: PhantomData }
    }

    #[message("BothRequest", method = "Unused")]
    async fn unused(&self) -> Result<(), Status> {
        Ok(())
    }

    #[message]
    async fn swapped(&self, shape: Shape, cx: &Context) -> Result<Shape, Status> {
        self.service.swapped(shape, cx).await
    }

    #[message(name = "Named")]
    async fn named(&self, request: CallNamed) -> Result<(), Status> {
        let _ = request;
        Ok(())
    }

    #[message(spawn)]
    pub async fn both<'a>(&'a self, cx: &'a Context, mut shape: Shape) -> Result<Shape, Status> {
        shape.sides += 1;
        self.service.both(cx, shape).await
    }

    #[message(one_way)]
    async fn neither(&self) -> Result<(), Status> {
        self.service.neither().await
    }

    #[message(name = "ByName", guard = "reader", number = 0x12)]
    #[inline]
    async fn scalar(&self, name: String) -> Result<u64, Status> {
        self.service.scalar(name).await
    }
}

fn main() {
    let _ = ShapeGateway::<_>::new(Service);
}

#[contract(package = "shapes", detached)]
pub struct BothRequest {}

/// Named like what a macro might call something of its own.
#[contract(package = "shapes", detached)]
pub struct CallNamed {}
