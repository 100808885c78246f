//! Reads and checks an assembly, and makes one by running the stacks package.
