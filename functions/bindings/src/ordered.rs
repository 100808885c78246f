//! What FIFO queues and topics want to know about a message.

/// Implements the methods of a message with the fields `group` and `deduplication`, going to one of the given kind.
macro_rules! ordered {
    ([$($generics:tt)*] $name:ty, $service:literal, $kind:literal) => {
        impl<$($generics)*> $name {
            #[doc = concat!("Puts the message into a group; FIFO ", $kind, " demand it and keep the order within a group.")]
            pub fn group(mut self, group: impl Into<String>) -> Self {
                self.group = Some(group.into());
                self
            }

            #[doc = concat!("Makes ", $service, " drop further messages with the same id for five minutes, in FIFO ", $kind, ".")]
            pub fn deduplication(mut self, id: impl Into<String>) -> Self {
                self.deduplication = Some(id.into());
                self
            }
        }
    };
}

pub(crate) use ordered;
