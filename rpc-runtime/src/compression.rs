//! Bodies that are compressed on the wire: deflate (RFC 1951), with a bound on what comes out.
//!
//! Which side may compress what is agreed in the greetings and is not known here.

use bytes::Bytes;
use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress, Status as Outcome};

use crate::Status;

/// The first room for what is inflated, as a multiple of what came. It grows with what really comes out.
const FIRST_ROOM: usize = 4;

/// The output grows by at least so many bytes.
const SMALLEST_ROOM: usize = 1024;

/// Why a body was not inflated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Uninflated {
    /// It is not what RFC 1951 describes, or ends early, or goes on behind its end: the peer's own making.
    Malformed,
    /// It would be longer than allowed. Nothing beyond that was inflated.
    TooLong,
}

impl Uninflated {
    /// What the peer is told.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Malformed => Status::invalid_argument("the compressed body does not inflate"),
            Self::TooLong => Status::resource_exhausted("the body inflates to more than the limit"),
        }
    }
}

/// Inflates a body to at most `limit` bytes. Memory is taken as output appears, never for what the input may claim.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Bytes, Uninflated> {
    let mut inflater = Decompress::new(false);
    let mut inflated = Vec::with_capacity((body.len() * FIRST_ROOM).max(SMALLEST_ROOM).min(limit));
    loop {
        let (read, room) = (inflater.total_in() as usize, inflated.capacity());
        let before = (read, inflated.len());
        let outcome = inflater
            .decompress_vec(&body[read..], &mut inflated, FlushDecompress::None)
            .map_err(|_| Uninflated::Malformed)?;
        // There is room for one byte beyond the limit, which shows whether anything follows.
        if inflated.len() > limit {
            return Err(Uninflated::TooLong);
        }
        let read = inflater.total_in() as usize;
        match outcome {
            Outcome::StreamEnd if read == body.len() => return Ok(inflated.into()),
            Outcome::StreamEnd => return Err(Uninflated::Malformed),
            Outcome::Ok | Outcome::BufError if inflated.len() == room => {
                let more = inflated
                    .len()
                    .max(SMALLEST_ROOM)
                    .min(limit.saturating_add(1) - inflated.len());
                inflated.reserve_exact(more);
            }
            // It has stopped for want of input, not of room.
            Outcome::Ok | Outcome::BufError if before == (read, inflated.len()) => {
                return Err(Uninflated::Malformed);
            }
            Outcome::Ok | Outcome::BufError => {}
        }
    }
}

/// Deflates a body, if that makes it shorter.
pub(crate) fn deflate(body: &[u8]) -> Option<Bytes> {
    let mut deflated = Vec::with_capacity(body.len());
    let outcome =
        Compress::new(Level::fast(), false).compress_vec(body, &mut deflated, FlushCompress::Finish);
    match outcome {
        Ok(Outcome::StreamEnd) if deflated.len() < body.len() => {
            deflated.shrink_to_fit();
            Some(deflated.into())
        }
        // There was no room left: it is not shorter.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_that_inflates_past_the_limit_is_refused_and_not_inflated_further() {
        let bomb = deflate(&vec![0; 8 << 20]).expect("is shorter");
        assert!(bomb.len() < 64 << 10);
        assert_eq!(inflate(&bomb, 1 << 20), Err(Uninflated::TooLong));
        assert_eq!(inflate(&bomb, 8 << 20).map(|body| body.len()), Ok(8 << 20));
        assert_eq!(inflate(&bomb, (8 << 20) - 1), Err(Uninflated::TooLong));
        assert_eq!(inflate(&bomb, 0), Err(Uninflated::TooLong));
    }

    #[test]
    fn what_does_not_inflate_is_malformed() {
        let body = deflate(&[7; 1_000]).expect("is shorter");
        assert_eq!(
            inflate(&body[..body.len() - 1], 1_000),
            Err(Uninflated::Malformed)
        );
        assert_eq!(inflate(&[], 1_000), Err(Uninflated::Malformed));
        assert_eq!(inflate(&[0xff; 20], 1_000), Err(Uninflated::Malformed));
        let longer = [&body[..], &[0]].concat();
        assert_eq!(inflate(&longer, 1_000), Err(Uninflated::Malformed));
    }

    #[test]
    fn what_deflate_does_not_shorten_is_left_alone() {
        assert_eq!(deflate(&[]), None);
        assert_eq!(deflate(&[1, 2, 3]), None);
    }

    proptest! {
        #[test]
        fn what_is_deflated_inflates_to_the_same(seed: u8, length in 0..70_000_usize, period in 1..300_usize) {
            let body: Vec<u8> = (0..length).map(|at| (at % period) as u8 ^ seed).collect();
            if let Some(deflated) = deflate(&body) {
                prop_assert!(deflated.len() < body.len());
                prop_assert_eq!(inflate(&deflated, length), Ok(body.into()));
            }
        }

        #[test]
        fn no_bytes_make_it_give_more_than_the_limit(bytes: Vec<u8>, limit in 0..5_000_usize) {
            if let Ok(body) = inflate(&bytes, limit) {
                prop_assert!(body.len() <= limit);
            }
        }
    }
}
