//! Grants as types: which operations a binding offers, and nothing else.

use crate::kind::Kind;

/// An operation on a resource of the kind `K`, such as [`Put`](crate::Put) on a table.
///
/// The same operation may exist for several kinds: [`Get`](crate::Get) reads an item of a table, an object of a
/// bucket and a parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation of a `{K}`",
    label = "this cannot be granted on a `{K}`",
    note = "the documentation of the binding lists its operations"
)]
pub trait Operation<K: Kind> {
    /// Returns the operation as the model of the stacks knows it.
    #[cfg(feature = "wiring")]
    fn operation() -> K::Operation;
}

/// The operations granted on a binding of the kind `K`: one [`Operation`] or a tuple of up to twelve.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be granted on a `{K}`",
    label = "not an operation of a `{K}`, or not a tuple of its operations",
    note = "grant one operation, as in `Table<Order, Get>`, or a tuple of up to twelve, as in `Table<Order, (Get, Put)>`"
)]
pub trait Grants<K: Kind> {
    /// Returns the operations as the model of the stacks knows them.
    #[cfg(feature = "wiring")]
    fn operations() -> Vec<K::Operation>;
}

/// Grants that contain the operation `Op`.
///
/// The methods of a binding demand it. `At` says where in the tuple the operation stands; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Op}` is not granted on this binding",
    label = "this needs the operation `{Op}`, and the binding grants `{Self}`",
    note = "add `{Op}` to the grants in the type of the field; the role of the function then allows it too"
)]
pub trait Allows<Op, At> {}

/// Where an operation stands when it is granted alone.
#[derive(Debug)]
pub enum Alone {}

/// Where an operation stands in a tuple of grants.
#[derive(Debug)]
pub enum At<const POSITION: usize> {}

#[diagnostic::do_not_recommend]
impl<Op> Allows<Op, Alone> for Op {}

/// Calls a macro for tuples of one to twelve types, which have their positions beside them.
macro_rules! tuples {
    ($each:ident) => {
        $each!(0 A);
        $each!(0 A, 1 B);
        $each!(0 A, 1 B, 2 C);
        $each!(0 A, 1 B, 2 C, 3 D);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J, 10 K1);
        $each!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J, 10 K1, 11 L);
    };
}

/// Calls a macro for each type of a tuple, with all of them in front.
macro_rules! members {
    ($each:ident $all:tt $position:literal $first:ident $(, $positions:literal $rest:ident)*) => {
        $each!($all $position $first);
        $crate::grant::members!($each $all $($positions $rest),*);
    };
    ($each:ident $all:tt) => {};
}

pub(crate) use {members, tuples};

macro_rules! grants {
    ($($position:literal $first:ident),+) => {
        impl<K: Kind, $($first: Operation<K>),+> Grants<K> for ($($first,)+) {
            #[cfg(feature = "wiring")]
            fn operations() -> Vec<K::Operation> {
                vec![$($first::operation()),+]
            }
        }
        members!(allows [$($first),+] $($position $first),+);
    };
}

macro_rules! allows {
    ([$($all:ident),+] $position:literal $first:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$($all),+> Allows<$first, At<$position>> for ($($all,)+) {}
    };
}

tuples!(grants);
