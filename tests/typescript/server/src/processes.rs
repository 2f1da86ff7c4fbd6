//! Servers in processes of their own, so that they can be killed.

use std::{
    collections::HashMap,
    io::{Error, ErrorKind},
    process::Stdio,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Mutex,
};

use crate::world::Failure;

/// The processes that run, by their ids. They end with this one: their standard input closes.
#[derive(Debug, Default)]
pub(crate) struct Processes(Mutex<HashMap<u32, Child>>);

impl Processes {
    /// Starts this program once more; gives what it says of itself, and its process id as `process`.
    pub(crate) async fn start(&self) -> Result<Value, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let mut said: Value = serde_json::from_str(&line)?;
        said["process"] = id.into();
        self.0.lock().await.insert(id, child);
        Ok(said)
    }

    /// Kills a process, which gets no chance to say anything.
    pub(crate) async fn kill(&self, id: u32) -> Result<(), Failure> {
        let child = self.0.lock().await.remove(&id);
        child.ok_or("there is no such process")?.kill().await?;
        Ok(())
    }
}
