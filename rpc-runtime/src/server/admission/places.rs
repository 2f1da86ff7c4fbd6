//! Places that are taken for a time, in all and by address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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

    /// A place, if there is one, for as long as it is held. Without an address it counts among all alone.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let mut taken = self.lock();
        if taken.all >= self.most {
            return None;
        }
        if let Some(address) = address {
            let of_address = taken.by_address.entry(address).or_insert(0);
            if *of_address >= self.most_of_address {
                return None;
            }
            *of_address += 1;
        }
        taken.all += 1;
        Some(Place {
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
        assert!(one.is_some());
        assert!(places.take(address(1)).is_none());
        let other = places.take(address(2));
        assert!(other.is_some());
        assert!(places.take(address(3)).is_none(), "there are three");
        drop(one);
        assert!(places.take(address(1)).is_some());
        assert!(places.take(None).is_some());
    }

    #[test]
    fn an_address_is_forgotten_with_its_last_place() {
        let places = Places::new(usize::MAX, 1);
        for number in 0_u32..100_000 {
            let held = places.take(Some(IpAddr::from(number.to_be_bytes())));
            assert!(held.is_some());
        }
        let taken = places.lock();
        assert_eq!((taken.all, taken.by_address.len()), (0, 0));
        assert!(taken.by_address.capacity() <= 1_024);
    }
}
