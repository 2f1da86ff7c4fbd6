//! A library: a server, and a client that talks to it.

pub mod contracts;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use contracts::{Book, Search, SearchRequest, SearchResponse};
use rpc_runtime::{Context, Contract, Server, Status};
use tokio::net::TcpListener;

rpc_runtime::include_gateway!("library");

#[derive(Default)]
struct Shelf {
    /// In the order in which they were added.
    books: Vec<Book>,
    /// How many there ever were: no id is given twice.
    added: u64,
}

impl Shelf {
    /// Titles are unique, as the contract says. `id` is the book that is to have this one.
    fn check_title(&self, id: &str, title: &str) -> Result<(), Status> {
        let taken = |other: &Book| other.title == title && other.id != id;
        match self.books.iter().any(taken) {
            true => Err(Status::already_exists(format!(
                "there is a book called {title:?}"
            ))),
            false => Ok(()),
        }
    }
}

#[derive(Clone, Default)]
struct Library(Arc<Mutex<Shelf>>);

impl Library {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().expect("no holder panics")
    }
}

impl BookService for Library {
    async fn add(&self, _: &Context, mut book: Book) -> Result<Book, Status> {
        let mut shelf = self.shelf();
        shelf.check_title("", &book.title)?;
        shelf.added += 1;
        book.id = shelf.added.to_string();
        shelf.books.push(book.clone());
        Ok(book)
    }

    async fn update(&self, _: &Context, id: String, book: Book) -> Result<Book, Status> {
        let mut shelf = self.shelf();
        shelf.check_title(&id, &book.title)?;
        match shelf.books.iter_mut().find(|stored| stored.id == id) {
            Some(stored) => {
                *stored = Book { id, ..book };
                Ok(stored.clone())
            }
            None => Err(Status::not_found(format!("there is no book {id:?}"))),
        }
    }

    async fn delete(&self, _: &Context, id: String) -> Result<bool, Status> {
        let mut shelf = self.shelf();
        let place = shelf.books.iter().position(|book| book.id == id);
        Ok(place.map(|place| shelf.books.remove(place)).is_some())
    }

    async fn get_all(&self, _: &Context) -> Result<Vec<Book>, Status> {
        Ok(self.shelf().books.clone())
    }
}

impl Search for Library {
    async fn search(&self, _: &Context, request: SearchRequest) -> Result<SearchResponse, Status> {
        let words = request.words.to_lowercase();
        let found = |book: &&Book| book.title.to_lowercase().contains(&words);
        let shelf = self.shelf();
        Ok(SearchResponse {
            books: shelf.books.iter().filter(found).cloned().collect(),
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = Library::default();
    let server = Server::builder()
        .service(BookGateway::new(library.clone()))
        .service(SearchGateway::new(library))
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    let books = BookClient::connect(&url).await?;
    let book = Book {
        title: "The Rust Book".into(),
        ..Book::with_defaults()
    };
    let added = books.add(book).await?;
    println!(
        "added {:?} as {}, copies: {}",
        added.title, added.id, added.copies
    );

    let search = SearchClient::connect(&url).await?;
    let found = search.search(SearchRequest { words: "rust".into() }).await?;
    println!("found {}", found.books.len());

    let refused = books
        .add(Book::default())
        .await
        .expect_err("a title has at least one character");
    println!("refused: {refused}");
    Ok(())
}
