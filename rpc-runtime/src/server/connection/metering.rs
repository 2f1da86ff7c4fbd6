//! Where a connection counts, if its server does: what is here is one look at `None` otherwise.

use rpc_protocol::{CloseCode, Code};

use super::Connection;
use crate::{
    auth::Source,
    dispatch::MethodEntry,
    hub::EventQueue,
    metrics::{AuthenticationOutcome, ConnectionMeter, Levels, Measured, Side, Totals},
};

/// A call begins, of this method, or of none that is known.
#[inline]
pub(super) fn begin(
    meter: &mut Option<Box<ConnectionMeter>>,
    method: Option<&MethodEntry>,
) -> Option<Measured> {
    meter
        .as_mut()
        .map(|meter| meter.begin(method.map(|method| method.index)))
}

impl<S> Connection<S> {
    /// Messages are about to be handled that were read just now.
    #[inline]
    pub(super) fn meter_batch(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.batch_begins();
        }
    }

    /// A call ends.
    #[inline]
    pub(super) fn meter_call(&mut self, call: Option<Measured>, code: Code) {
        if let (Some(meter), Some(call)) = (&mut self.meter, call) {
            meter.end(call, code);
        }
    }

    /// All calls end with the connection.
    pub(super) fn meter_all_cancelled(&mut self) {
        if let Some(meter) = &mut self.meter {
            for call in self.calls.measured() {
                meter.end(call, Code::Cancelled);
            }
        }
    }

    /// The connection is closed, by the client or by us.
    pub(super) fn meter_close(&mut self, code: CloseCode, by_client: bool) {
        if let Some(meter) = &mut self.meter {
            meter.closed(code, if by_client { Side::Client } else { Side::Server });
        }
    }

    /// The connection is lost, but its calls go on elsewhere, where they are counted from now on: gives what counts them.
    pub(super) fn meter_lost(&mut self, code: CloseCode) -> Option<Box<ConnectionMeter>> {
        self.meter_turn();
        let mut meter = self.meter.take()?;
        let by = match code {
            CloseCode::Abnormal => Side::Neither,
            _ => Side::Server,
        };
        meter.closed(code, by);
        Some(meter)
    }

    /// A credential that came on the live connection was looked at.
    pub(super) fn meter_authentication(&self, outcome: AuthenticationOutcome) {
        self.endpoint.meter.authentication(Source::InBand, outcome);
    }

    fn totals(&self) -> Totals {
        let (over_limits, while_stopping) = self.protocol.refused_calls();
        let stats = self.session.stats();
        Totals {
            sent_messages: self.socket.io.output.messages(),
            received_messages: stats.messages_received,
            received_bytes: stats.bytes_received,
            sent_bytes: stats.bytes_sent,
            over_limits,
            while_stopping,
        }
    }

    /// The connection goes on with a session that was counted before.
    pub(super) fn meter_goes_on(&mut self) {
        let totals = self.totals();
        if let Some(meter) = &mut self.meter {
            meter.goes_on_from(totals);
        }
    }

    /// A turn is over.
    #[inline]
    pub(super) fn meter_turn(&mut self) {
        if self.meter.is_none() || self.handed_over {
            return;
        }
        let totals = self.totals();
        let Some(meter) = &mut self.meter else { return };
        let output = &self.socket.io.output;
        meter.turn_ends(
            totals,
            Levels {
                open_calls: self.protocol.open_streams(),
                queued_bytes: self.protocol.queued_bytes(),
                unflushed_bytes: output.pending(),
                held_bytes: self.session.held_bytes(),
                queued_events: self.session.events().map_or(0, EventQueue::bytes),
            },
        );
    }
}
