//! CodeBuild: projects that test and deploy.
