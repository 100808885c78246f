//! What leaves its stack and stays in the account: nobody else remembers it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Context, Left, notes::Notes, stack::Foreseen};

/// What a run got to know about what leaves stacks, where it is written down, and what is noted of it before it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    known: Arc<Mutex<Known>>,
    book: Option<Book>,
    notes: Notes,
}

/// Where what left its stack for good is written down.
#[derive(Clone)]
struct Book(Arc<Write>);

type Write = dyn Fn(&str, &Left) -> Result<(), String> + Send + Sync;

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Book")
    }
}

/// A stack of a region.
type Place = (String, String);

#[derive(Debug, Default)]
struct Known {
    /// What left its stack and stays outside, by stack.
    left: BTreeMap<String, Left>,
    /// What operations that were begun may leave outside.
    foreseen: BTreeMap<Place, Foreseen>,
    /// What left a stack in this run, each with what it was made from.
    parted: BTreeMap<Place, Vec<Foreseen>>,
}

fn place(context: &Context, stack: &str) -> Place {
    (context.clients.region().to_owned(), stack.to_owned())
}

impl Aside {
    /// Writes down what leaves a stack for good by this.
    pub(super) fn writing(
        mut self,
        book: impl Fn(&str, &Left) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.book = Some(Book(Arc::new(book)));
        self
    }

    /// Notes in a directory what operations may leave outside, before they begin, and finds there and in others what was noted.
    pub(super) fn noting(mut self, directory: PathBuf, earlier: Vec<PathBuf>) -> Self {
        self.notes = Notes::in_directory(directory).found_in(earlier);
        self
    }

    /// Notes what left a stack and stays outside, and writes it down. Returns why it is not written down, where it is not.
    pub(super) fn leave(&self, stack: &str, left: Left) -> Result<(), String> {
        let written = match &self.book {
            Some(Book(write)) => write(stack, &left),
            None => Ok(()),
        };
        let mut known = self.known();
        known.left.entry(stack.to_owned()).or_default().add(left);
        written
    }

    /// Returns what left stacks in this run, by stack.
    pub(super) fn left(&self) -> BTreeMap<String, Left> {
        self.known().left.clone()
    }

    /// Notes what an operation may leave outside that is about to begin: a run that is killed after it comes to nothing else.
    pub(super) fn foresee(
        &self,
        context: &Context,
        stack: &str,
        foreseen: Foreseen,
    ) -> io::Result<()> {
        let written = self.notes.write(context, stack, &foreseen);
        let mut known = self.known();
        known.foreseen.insert(place(context, stack), foreseen);
        written
    }

    /// Returns what was noted last of a stack, by this run or another one. What cannot be read is kept aside, and told.
    pub(super) fn foreseen(&self, context: &Context, stack: &str) -> Option<Foreseen> {
        if let Some(foreseen) = self.known().foreseen.get(&place(context, stack)) {
            return Some(foreseen.clone());
        }
        match self.notes.read(context, stack) {
            Ok(foreseen) => foreseen,
            Err(unreadable) => {
                context.emit(super::Event::Warning {
                    stack: stack.to_owned(),
                    message: format!(
                        "what an earlier run noted before it updated the stack cannot be read, and {}; what that update left \
                         outside may be written down nowhere: {}",
                        unreadable.place, unreadable.error
                    ),
                });
                None
            }
        }
    }

    /// Removes what was noted of a stack.
    pub(super) fn forget(&self, context: &Context, stack: &str) -> io::Result<()> {
        self.known().foreseen.remove(&place(context, stack));
        self.notes.remove(context, stack)
    }

    /// Returns what is noted in the caller's account: regions and names of stacks.
    pub(super) fn noted(&self, context: &Context) -> BTreeSet<Place> {
        let own = &*context.clients.identity().account;
        let noted = self.notes.all().into_iter();
        noted
            .filter(|[account, _, _]| account == own)
            .map(|[_, region, stack]| (region, stack))
            .collect()
    }

    /// Notes what left a stack in this run, with what it was made from.
    pub(super) fn part(&self, context: &Context, stack: &str, parted: Foreseen) {
        let mut known = self.known();
        let all = known.parted.entry(place(context, stack)).or_default();
        if !all.contains(&parted) {
            all.push(parted);
        }
    }

    /// Returns what left a stack in this run.
    pub(super) fn parted(&self, context: &Context, stack: &str) -> Vec<Foreseen> {
        let known = self.known();
        let parted = known.parted.get(&place(context, stack));
        parted.cloned().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
