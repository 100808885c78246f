//! CodePipeline: pipelines from a source to a stage.
