//! Places that are taken for a time, in all and by address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// As many are taken as there are.
    AtAll,
    /// As many are taken as there are for its address.
    OfAddress,
}

/// So many places, and so many for one address.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    most_of_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Holds no zeros, and so no more entries than `all`.
    by_address: HashMap<IpAddr, usize>,
}

impl Places {
    pub(crate) fn new(most: usize, most_of_address: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_address,
            taken: Mutex::default(),
        })
    }

    /// A place, if there is one, for as long as it is held. Without an address it counts among all alone. An address that
    /// has too many is told so even where there is no place for others either.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, NoPlace> {
        let mut taken = self.lock();
        let of_address = address.and_then(|address| taken.by_address.get(&address));
        if of_address.is_some_and(|count| *count >= self.most_of_address) {
            return Err(NoPlace::OfAddress);
        }
        if taken.all >= self.most {
            return Err(NoPlace::AtAll);
        }
        if let Some(address) = address {
            *taken.by_address.entry(address).or_insert(0) += 1;
        }
        taken.all += 1;
        Ok(Place {
            places: self.clone(),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while the lock is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken; free again once it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        let Some(address) = self.address else { return };
        if let Entry::Occupied(mut of_address) = taken.by_address.entry(address) {
            *of_address.get_mut() -= 1;
            if *of_address.get() == 0 {
                of_address.remove();
            }
        }
        // A crowd that has gone leaves its table behind.
        let (len, capacity) = (taken.by_address.len(), taken.by_address.capacity());
        if capacity > 1_024 && len < capacity / 8 {
            taken.by_address.shrink_to(len * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    #[test]
    fn places_run_out_in_all_and_for_one_address_and_come_back_with_their_holders() {
        let places = Places::new(3, 2);
        let (one, _two) = (places.take(address(1)), places.take(address(1)));
        assert_eq!(places.take(address(1)).err(), Some(NoPlace::OfAddress));
        let _other = places.take(address(2)).unwrap();
        assert_eq!(places.take(address(3)).err(), Some(NoPlace::AtAll));
        assert_eq!(
            places.take(address(1)).err(),
            Some(NoPlace::OfAddress),
            "whoever has too many hears of that first"
        );
        drop(one);
        assert!(places.take(address(1)).is_ok());
        assert!(places.take(None).is_ok());
    }

    #[test]
    fn an_address_is_forgotten_with_its_last_place() {
        let places = Places::new(usize::MAX, 1);
        for number in 0_u32..100_000 {
            let held = places.take(Some(IpAddr::from(number.to_be_bytes())));
            assert!(held.is_ok());
        }
        let taken = places.lock();
        assert_eq!((taken.all, taken.by_address.len()), (0, 0));
        assert!(taken.by_address.capacity() <= 1_024);
    }
}
