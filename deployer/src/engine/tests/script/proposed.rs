//! Conversations about change sets, from the first look to their execution.

use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetInput;

use super::*;

impl Script {
    /// A change set with these changes, where no other waits.
    pub(in crate::engine::tests) fn proposing(self, changes: &str) -> Self {
        self.list_change_sets(&[])
            .create_change_set(|_| true)
            .change_set("CREATE_COMPLETE", "", changes)
    }

    /// The same, executed.
    pub(in crate::engine::tests) fn executing(self, changes: &str) -> Self {
        self.proposing(changes).execute()
    }

    /// The creation of a stack with these changes, to its end.
    pub(in crate::engine::tests) fn creating(self, changes: &str) -> Self {
        const CREATED: [answers::EventRow; 1] = [("9", STACK, "CREATE_COMPLETE", "", "*")];
        self.create_change_set(|_| true)
            .change_set("CREATE_COMPLETE", "", changes)
            .execute()
            .events(&CREATED)
            .events(&CREATED)
    }

    /// A change set that changes nothing, and goes.
    pub(in crate::engine::tests) fn proposing_nothing(self) -> Self {
        self.list_change_sets(&[])
            .create_change_set(|_| true)
            .change_set(
                "FAILED",
                "The submitted information didn't contain changes.",
                "",
            )
            .delete_change_set(answers::CHANGE_SET_ID)
    }

    /// `ListChangeSets` with these names, each with its age in minutes.
    pub(in crate::engine::tests) fn list_change_sets(mut self, names: &[(&str, u64)]) -> Self {
        let body = answers::change_sets(names);
        call!(
            self.cloudformation,
            CloudFormation::list_change_sets,
            |_| true,
            200,
            move || body.clone()
        )
    }

    /// `CreateChangeSet`, of which `check` sees the input.
    pub(in crate::engine::tests) fn create_change_set(
        mut self,
        check: impl Fn(&CreateChangeSetInput) -> bool + Send + Sync + 'static,
    ) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::create_change_set,
            move |input| {
                token.set(input.change_set_name());
                input.client_token() == input.change_set_name() && check(input)
            },
            200,
            || answers::CREATED_CHANGE_SET.to_owned()
        )
    }

    /// `CreateChangeSet` that is refused with a code and a message.
    pub(in crate::engine::tests) fn refuse_change_set(
        mut self,
        status: u16,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::create_change_set,
            move |input| {
                token.set(input.change_set_name());
                true
            },
            status,
            move || answers::error(code, message)
        )
    }

    /// `DescribeChangeSet` with a status, a reason and changes.
    pub(in crate::engine::tests) fn change_set(
        mut self,
        status: &str,
        reason: &str,
        changes: &str,
    ) -> Self {
        let body = answers::change_set(status, reason, changes, None);
        call!(
            self.cloudformation,
            CloudFormation::describe_change_set,
            |input| input.change_set_name() == Some(answers::CHANGE_SET_ID),
            200,
            move || body.clone()
        )
    }

    /// `DescribeChangeSet` of one page of several.
    pub(in crate::engine::tests) fn change_set_page(
        mut self,
        token: Option<&'static str>,
        changes: &str,
        next: Option<&str>,
    ) -> Self {
        let body = answers::change_set("CREATE_COMPLETE", "", changes, next);
        call!(
            self.cloudformation,
            CloudFormation::describe_change_set,
            move |input| input.next_token() == token,
            200,
            move || body.clone()
        )
    }

    /// `ExecuteChangeSet` of the change set that was made last, with its name as the token.
    pub(in crate::engine::tests) fn execute(mut self) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::execute_change_set,
            move |input| input.change_set_name() == Some(answers::CHANGE_SET_ID)
                && input.client_request_token() == Some(token.get().as_str()),
            200,
            || answers::empty("ExecuteChangeSet")
        )
    }

    /// `ExecuteChangeSet` that is refused.
    pub(in crate::engine::tests) fn refuse_execution(
        mut self,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::execute_change_set,
            |_| true,
            400,
            move || answers::error(code, message)
        )
    }

    /// `DeleteChangeSet`.
    pub(in crate::engine::tests) fn delete_change_set(mut self, id: &'static str) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::delete_change_set,
            move |input| input.change_set_name() == Some(id),
            200,
            || answers::empty("DeleteChangeSet")
        )
    }
}
