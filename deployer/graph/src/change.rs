//! What a change does to what is drawn.

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is created.
    New,
    /// It changes and stays what it is.
    Changed,
    /// Another one takes its place.
    Replaced,
    /// It is deleted.
    Removed,
    /// It becomes part of the stack as it is.
    Imported,
    /// It leaves the stack and stays.
    Kept,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Changed,
        Self::Replaced,
        Self::Removed,
        Self::Imported,
        Self::Kept,
    ];

    /// Returns the sign that stands before what changes, so that nobody has to tell colours apart.
    pub const fn sign(self) -> char {
        match self {
            Self::New => '+',
            Self::Changed => '~',
            Self::Replaced => '±',
            Self::Removed => '-',
            Self::Imported => '<',
            Self::Kept => '>',
        }
    }

    /// Returns the change in a word, which is the name of its class in a drawing too.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Imported => "imported",
            Self::Kept => "kept",
        }
    }

    /// Says what happens, for a legend.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::New => "is created",
            Self::Changed => "changes in place",
            Self::Replaced => "another one takes its place",
            Self::Removed => "is deleted",
            Self::Imported => "becomes part of the stack",
            Self::Kept => "leaves the stack and stays",
        }
    }
}

/// What is dangerous about a change, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// It is away for a while.
    Interruption,
    /// It becomes another one.
    Replacement,
    /// Somebody may do more than before.
    PermissionWidened,
    /// More of the world reaches it.
    ExposureWidened,
    /// Data is deleted.
    DataLoss,
    /// CloudFormation refuses it.
    Impossible,
}

impl Danger {
    /// Returns the danger in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Interruption => "interruption",
            Self::Replacement => "replacement",
            Self::PermissionWidened => "permission widened",
            Self::ExposureWidened => "exposure widened",
            Self::DataLoss => "data loss",
            Self::Impossible => "cannot be deployed",
        }
    }
}

/// How a changed resource is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What happens to it.
    pub change: Change,
    /// What is dangerous about that.
    pub danger: Option<Danger>,
    /// Whether it changes because of what it refers to and for nothing else.
    pub reached: bool,
}

impl Mark {
    /// Returns the mark in words, such as `replaced, data loss`.
    pub fn words(self) -> String {
        let word = if self.reached && self.change == Change::Changed {
            "reached"
        } else {
            self.change.word()
        };
        match self.danger {
            // Of what is replaced or removed these say nothing more.
            Some(Danger::Replacement) if self.change == Change::Replaced => word.to_owned(),
            Some(Danger::Interruption) if self.change == Change::Removed => word.to_owned(),
            Some(danger) => format!("{word}, {}", danger.words()),
            None => word.to_owned(),
        }
    }

    /// Returns the colour.
    pub const fn tone(self) -> Tone {
        match (self.danger, self.change) {
            (Some(danger), _) => Tone::of(danger),
            (None, Change::New | Change::Imported) => Tone::New,
            (None, Change::Changed | Change::Replaced) => Tone::InPlace,
            (None, Change::Removed | Change::Kept) => Tone::Leaves,
        }
    }
}

/// A colour, which says again what a sign and words say: how dangerous a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing that exists is touched.
    New,
    /// It goes, and nothing is lost with it.
    Leaves,
    /// It changes in place.
    InPlace,
    /// It is away for a while.
    Interruption,
    /// It becomes another one.
    Replacement,
    /// Somebody may do more.
    Permission,
    /// More of the world reaches it.
    Exposure,
    /// Data is deleted.
    Loss,
    /// It cannot be deployed.
    Impossible,
}

impl Tone {
    /// Every colour.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::Leaves,
        Self::InPlace,
        Self::Interruption,
        Self::Replacement,
        Self::Permission,
        Self::Exposure,
        Self::Loss,
        Self::Impossible,
    ];

    /// Returns the colour of a danger.
    pub const fn of(danger: Danger) -> Self {
        match danger {
            Danger::Interruption => Self::Interruption,
            Danger::Replacement => Self::Replacement,
            Danger::PermissionWidened => Self::Permission,
            Danger::ExposureWidened => Self::Exposure,
            Danger::DataLoss => Self::Loss,
            Danger::Impossible => Self::Impossible,
        }
    }

    /// Returns the name of the class in a drawing.
    pub const fn class(self) -> &'static str {
        match self {
            Self::New => "t-new",
            Self::Leaves => "t-leaves",
            Self::InPlace => "t-in-place",
            Self::Interruption => "t-interruption",
            Self::Replacement => "t-replacement",
            Self::Permission => "t-permission",
            Self::Exposure => "t-exposure",
            Self::Loss => "t-loss",
            Self::Impossible => "t-impossible",
        }
    }

    /// Returns a colour that white text can be read on, and a light one for behind dark text.
    pub const fn light(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("#1a7f37", "#dafbe1"),
            Self::Leaves => ("#57606a", "#eaeef2"),
            Self::InPlace => ("#0969da", "#ddf4ff"),
            Self::Interruption => ("#7d5700", "#fff3b8"),
            Self::Replacement => ("#bc4c00", "#ffe7d1"),
            Self::Permission => ("#7440c9", "#f0e4ff"),
            Self::Exposure => ("#a8307b", "#ffe3f3"),
            Self::Loss => ("#c11c28", "#ffe3e0"),
            Self::Impossible => ("#24292f", "#d0d7de"),
        }
    }

    /// Returns the same for a dark page: a colour that dark text can be read on, and a dark one for behind light text.
    pub const fn dark(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("#56d364", "#12301b"),
            Self::Leaves => ("#afb8c1", "#2a3037"),
            Self::InPlace => ("#79c0ff", "#0d2a4a"),
            Self::Interruption => ("#e3b341", "#3a2d07"),
            Self::Replacement => ("#ffa657", "#43270d"),
            Self::Permission => ("#d2a8ff", "#331f50"),
            Self::Exposure => ("#ff9bce", "#47183a"),
            Self::Loss => ("#ff8f88", "#4c1519"),
            Self::Impossible => ("#f0f3f6", "#454c54"),
        }
    }
}

/// How an arrow between before and after is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stroke {
    /// It is there afterwards alone.
    New,
    /// It was there before alone.
    Gone,
    /// One end is replaced, and the other one is reached by that.
    Reach,
}

impl Stroke {
    /// Every such arrow.
    pub(crate) const ALL: [Self; 3] = [Self::New, Self::Gone, Self::Reach];

    /// Returns the name of the class in a drawing.
    pub const fn class(self) -> &'static str {
        match self {
            Self::New => "arrives",
            Self::Gone => "gone",
            Self::Reach => "reach",
        }
    }

    /// Returns the change in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Reach => "reached",
        }
    }

    /// Says what it means, for a legend.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::New => "used from now on",
            Self::Gone => "used no more",
            Self::Reach => "reached by a replacement",
        }
    }
}
