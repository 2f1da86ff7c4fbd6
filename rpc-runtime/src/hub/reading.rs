//! What a program reads of its channels: who is there, and what was published.

use std::sync::Arc;

use super::{
    ChannelName, History, HistoryQuery, Hub, HubError, Member, broker::MembersQuery,
    namespace::ActiveNamespace, pattern::Spelling,
};

/// So many members are read at a time.
const MEMBERS_AT_ONCE: usize = 1_000;

/// # What is in a channel
///
/// The program itself needs no right. Clients ask by `rpc.hub.v1.HubService`.
impl Hub {
    /// Who is in a channel, on all nodes, in the order of their client ids; nobody where its namespace keeps no presence. A user with
    /// several clients is on the list several times. It is read in parts of 1,000: who comes or goes meanwhile may be on it or not.
    ///
    /// ```
    /// # async fn show(hub: &rpc_runtime::hub::Hub) -> Result<(), rpc_runtime::hub::HubError> {
    /// for member in hub.members("room:5").await? {
    ///     println!("{} {:?}", member.client, member.user);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the name, no namespace has the channel, or the broker is not available.
    pub async fn members(&self, channel: impl AsRef<str>) -> Result<Vec<Member>, HubError> {
        let name = ChannelName::new(channel)?;
        self.declared(&name)?;
        let mut members = Vec::new();
        loop {
            let query = MembersQuery {
                after: members.last().map(|member: &Member| member.client),
                limit: MEMBERS_AT_ONCE,
            };
            let page = self.inner.broker.members(&name, &query).await?;
            members.extend(page.members);
            if !page.more {
                return Ok(members);
            }
        }
    }

    /// Reads a channel's history. [`HistoryQuery::limit`] is kept as it is given: 0 reads nothing but the position.
    ///
    /// ```
    /// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// use rpc_runtime::hub::{HistoryQuery, Hub, Namespace, Notification, Retention};
    ///
    /// let news = Namespace::<()>::new("news").keep(Retention::of(100, Duration::from_secs(600)));
    /// let hub = Hub::builder().namespace(news).build().unwrap();
    /// let receipt = hub.channel("news").publish(&Notification::info("Version 5 is there", "")).await.unwrap();
    ///
    /// let latest = HistoryQuery { limit: 10, newest_first: true, ..HistoryQuery::default() };
    /// let history = hub.history("news", &latest).await.unwrap();
    /// assert_eq!(receipt.position, Some(history.events[0].position));
    /// assert!(hub.members("news").await.unwrap().is_empty());
    /// assert!(hub.history("olds", &latest).await.is_err(), "no namespace has this channel");
    /// # }); }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`members`](Self::members).
    pub async fn history(&self, channel: impl AsRef<str>, query: &HistoryQuery) -> Result<History, HubError> {
        let name = ChannelName::new(channel)?;
        let namespace = self.declared(&name)?;
        Ok(self.inner.broker.history(&name, namespace.keep(), query).await?)
    }

    /// The namespace of a channel, by the one name that it has.
    pub(super) fn declared(&self, name: &ChannelName) -> Result<&Arc<ActiveNamespace>, HubError> {
        let undeclared = || HubError::Undeclared(name.clone());
        let namespace = self.inner.namespaces.find(name.as_str()).ok_or_else(undeclared)?;
        match namespace.spelling(name.as_str()) {
            Spelling::Canonical => Ok(namespace),
            Spelling::Other(canonical) => Err(HubError::NotCanonical {
                channel: name.clone(),
                canonical,
            }),
            Spelling::Unreadable => Err(undeclared()),
        }
    }
}
