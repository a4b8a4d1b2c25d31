import { defineSourceDescription, words } from "./source.ts";

/** https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization */
export const githubAudit = defineSourceDescription({
  name: "github-audit",
  title: "GitHub audit log",
  logsource: { product: "github", service: "audit" },
  ocsf: {
    class: "api_activity",
    rules: [
      {
        events: ["github.org.add_member", "github.team.add_member"],
        class: "group_management",
        activity: "Add User",
      },
      {
        events: ["github.org.remove_member", "github.team.remove_member"],
        class: "group_management",
        activity: "Remove User",
      },
      {
        events: ["github.user.login", "github.org.sso_response"],
        class: "authentication",
        activity: "Logon",
      },
      { events: ["github.*.create*", "github.*.add*"], class: "api_activity", activity: "Create" },
      {
        events: ["github.*.destroy*", "github.*.delete*", "github.*.remove*"],
        class: "api_activity",
        activity: "Delete",
      },
      {
        events: ["github.git.clone", "github.git.fetch", "github.*.download*"],
        class: "api_activity",
        activity: "Read",
      },
      {
        events: [
          "github.*.update*",
          "github.*.enable*",
          "github.*.disable*",
          "github.*_enabled",
          "github.*_disabled",
        ],
        class: "api_activity",
        activity: "Update",
      },
    ],
  },
  fields: {},
  known: words(`
    action actor_id actor_ip actor_is_bot actor_location.* org org_id repo repo_id repository
    repository_public visibility previous_visibility public_repo user user_id business business_id
    created_at @timestamp at_sign_timestamp _document_id document_id operation_type team name
    config.* config_was.* events hook_id active active_was data.* token_id hashed_token
    programmatic_access_type token_scopes transport_protocol transport_protocol_name
    external_identity_nameid external_identity_username permission old_permission new_permission
    workflow_id workflow_run_id head_branch head_sha job_name runner_id runner_name runner_labels
    runner_group_id runner_group_name is_hosted_runner secrets_passed environment_name key
    fingerprint read_only title explanation message reasons.* request_id request_method
    request_category user_agent url_path oauth_application oauth_application_id integration
    application_client_id deploy_key_fingerprint pull_request_id pull_request_title pull_request_url
    branch overridden_codes organization organization_upgrade
  `),
});

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads */
export const githubWebhook = defineSourceDescription({
  name: "github-webhook",
  title: "GitHub webhook",
  logsource: { product: "github", service: "webhook" },
  ocsf: {
    class: "api_activity",
    rules: [
      {
        events: ["github.*.created", "github.*.added", "github.*.opened", "github.create"],
        class: "api_activity",
        activity: "Create",
      },
      {
        events: ["github.*.deleted", "github.*.removed", "github.delete"],
        class: "api_activity",
        activity: "Delete",
      },
      {
        events: ["github.push", "github.*.edited", "github.*.publicized", "github.*.renamed"],
        class: "api_activity",
        activity: "Update",
      },
    ],
  },
  fields: { repo: "repository.full_name", org: "organization.login" },
  known: words(`
    pages.*
    action event organization.* repository.* sender.* enterprise.* installation.* repo org ref
    ref_type before after forced created deleted compare commits.* head_commit.* pusher.*
    pull_request.* number changes.* rule.* alert.* member.* membership.* team.* key.* hook.* hook_id
    zen workflow.* workflow_run.* workflow_job.* check_run.* deployment.* deployment_status.*
    release.* package.* personal_access_token_request.* secret_scanning_alert.* location.*
    repositories_added.* repositories_removed.* blocked_user.* branches.* sha state context issue.*
    comment.* forkee.* inputs.*
  `),
});
