"use strict";
// Plays one scenario through Segment's own SDK, unmodified, and prints what each call brought as one JSON document:
// {"<step>": {"status": 200, "data": …}} or {"<step>": {"status": 404, "type": "<content type>", "errors": […]}}.
// Environment: SDK_BASE_URL, SDK_TOKEN, and SDK_FACTS, a JSON object with what the scenario is about.

const sdk = require("@segment/public-api-sdk-typescript");

function open(Api) {
  const api = new Api(process.env.SDK_BASE_URL);
  api.accessToken = process.env.SDK_TOKEN;
  return api;
}

const users = open(sdk.IAMUsersApi);
const groups = open(sdk.IAMGroupsApi);
const roles = open(sdk.IAMRolesApi);
const labels = open(sdk.LabelsApi);
const audit = open(sdk.AuditTrailApi);
const workspaces = open(sdk.WorkspacesApi);

const facts = JSON.parse(process.env.SDK_FACTS || "{}");
const results = {};

// One call. What the SDK itself refuses to send has the status 0.
async function ask(step, call) {
  if (step in results) throw new Error(`two steps are called ${step}`);
  try {
    const { response, body } = await call();
    results[step] = { status: response.statusCode, data: body && body.data };
    return body && body.data;
  } catch (error) {
    // Its HttpError is compiled in such a way that `instanceof` never knows it.
    if (error.name === "HttpError") {
      const type = error.response.headers["content-type"];
      results[step] = { status: error.statusCode, type, errors: error.body && error.body.errors };
    } else {
      results[step] = { status: 0, errors: [{ type: error.name, message: error.message }] };
    }
    return undefined;
  }
}

// A list from its first page to its last.
async function walk(step, count, noun, list) {
  const told = { status: 200, sizes: [], items: [], paginations: [] };
  let cursor;
  do {
    const data = await ask(`${step}, page ${told.sizes.length + 1}`, () => list({ count, cursor }));
    if (!data) {
      told.status = 0;
      break;
    }
    told.sizes.push(data[noun].length);
    told.items.push(...data[noun]);
    told.paginations.push(data.pagination);
    cursor = data.pagination && data.pagination.next;
  } while (cursor && told.sizes.length < 100);
  results[step] = told;
  return told.items;
}

async function idOf(roleName) {
  if (!idOf.known) {
    const data = await ask("the roles", () => roles.listRoles({ count: 1000 }));
    idOf.known = new Map(((data && data.roles) || []).map((role) => [role.name, role.id]));
  }
  return idOf.known.get(roleName);
}

const everything = () => ({ id: facts.workspace, type: "WORKSPACE" });
const labelled = (...them) => ({ ...everything(), labels: them });
// An invitation's permissions have their labels beside the resources; on them, the SDK drops them.
const besides = ({ resources, ...rest }) => ({
  ...rest,
  resources,
  labels: (resources || []).flatMap((resource) => resource.labels || []),
});
const production = { key: "environment", value: "prod" };
const anyone = { count: 10 };

const scenarios = {
  async people() {
    await ask("the workspace", () => workspaces.getWorkspace());
    const everyone = await walk("everyone", 2, "users", (page) => users.listUsers(page));
    const [first] = everyone;
    await ask("one", () => users.getUser(first && first.id));
    await walk("groups of one", 1, "groups", (page) => users.listUserGroupsFromUser(facts.user, page));
  },

  async removal() {
    await ask("removed", () => users.deleteUsers(facts.users));
    for (const user of facts.users) await ask(`after: ${user}`, () => users.getUser(user));
    await walk("who is left", 10, "users", (page) => users.listUsers(page));
  },

  async permissions() {
    const [admin, reader, functions] = [
      await idOf("Source Admin"),
      await idOf("Source Read-only"),
      await idOf("Function Read-only"),
    ];
    const subjects = {
      user: {
        add: (permissions) => users.addPermissionsToUser(facts.user, { permissions }),
        replace: (permissions) => users.replacePermissionsForUser(facts.user, { permissions }),
        get: () => users.getUser(facts.user),
      },
      group: {
        add: (permissions) => groups.addPermissionsToUserGroup(facts.group, { permissions }),
        replace: (permissions) => groups.replacePermissionsForUserGroup(facts.group, { permissions }),
        get: () => groups.getUserGroup(facts.group),
      },
    };
    for (const [subject, { add, replace, get }] of Object.entries(subjects)) {
      const step = (name) => `${subject}: ${name}`;
      await ask(step("a label"), () => add([{ roleId: admin, resources: [labelled(production)] }]));
      await ask(step("a list"), () => add([{ roleId: reader, resources: [{ id: facts.source, type: "SOURCE" }] }]));
      await ask(step("both"), get);
      await ask(step("none"), () => replace([]));
      await ask(step("shown with none"), get);
      await ask(step("another"), () => replace([{ roleId: functions, resources: [everything()] }]));
      await ask(step("shown with another"), get);
    }
  },

  async groups() {
    const [ann, bob, cid] = facts.emails;
    const made = await ask("created", () => groups.createUserGroup({ name: "Analysts" }));
    const id = made && made.userGroup.id;
    await ask("read", () => groups.getUserGroup(id));
    await ask("renamed", () => groups.updateUserGroup(id, { name: "Data" }));
    await walk("all", 1, "userGroups", (page) => groups.listUserGroups(page));
    await ask("two come", () => groups.addUsersToUserGroup(id, { emails: [ann, bob] }));
    await walk("two are in", 1, "users", (page) => groups.listUsersFromUserGroup(id, page));
    await ask("one comes again", () => groups.addUsersToUserGroup(id, { emails: [ann] }));
    await ask("others instead", () => groups.replaceUsersInUserGroup(id, { emails: [bob, cid] }));
    await ask("others are in", () => groups.listUsersFromUserGroup(id, anyone));
    await ask("groups of one", () => users.listUserGroupsFromUser(facts.cid, anyone));
    await ask("one goes", () => groups.removeUsersFromUserGroup(id, [bob]));
    await ask("one is in", () => groups.listUsersFromUserGroup(id, anyone));
    await ask("no one instead", () => groups.replaceUsersInUserGroup(id, { emails: [] }));
    await ask("no one is in", () => groups.listUsersFromUserGroup(id, anyone));
    await ask("deleted", () => groups.deleteUserGroup(id));
    await ask("read again", () => groups.getUserGroup(id));
  },

  async invitations() {
    const { ann, bob } = facts;
    const [admin, reader] = [await idOf("Source Admin"), await idOf("Source Read-only")];
    const permissions = [
      { roleId: admin, resources: [everything()], labels: [production] },
      { roleId: reader, resources: [{ id: facts.source, type: "SOURCE" }] },
    ];
    await ask("invited", () => users.createInvites({ invites: [{ email: ann, permissions }, { email: bob }] }));
    await walk("all", 1, "invites", (page) => users.listInvites(page));
    const made = await ask("a group", () => groups.createUserGroup({ name: "Analysts" }));
    const id = made && made.userGroup.id;
    await ask("both come", () => groups.addUsersToUserGroup(id, { emails: [ann, bob] }));
    await walk("both will be in", 1, "emails", (page) => groups.listInvitesFromUserGroup(id, page));
    await ask("no one is in", () => groups.listUsersFromUserGroup(id, anyone));
    await ask("one instead", () => groups.replaceUsersInUserGroup(id, { emails: [ann] }));
    await ask("one will be in", () => groups.listInvitesFromUserGroup(id, anyone));
    await ask("one goes", () => groups.removeUsersFromUserGroup(id, [ann]));
    await ask("none will be in", () => groups.listInvitesFromUserGroup(id, anyone));
    await ask("one comes again", () => groups.addUsersToUserGroup(id, { emails: [ann] }));
    await ask("taken back", () => users.deleteInvites([bob]));
    await ask("taken back again", () => users.deleteInvites([bob]));
    await ask("who is left", () => users.listInvites(anyone));
    await ask("invited again", () => users.createInvites({ invites: [{ email: ann }] }));
  },

  async roles() {
    await walk("all", 5, "roles", (page) => roles.listRoles(page));
  },

  async labels() {
    const region = { key: "region", value: "emea", description: "Europe" };
    await ask("at first", () => labels.listLabels());
    await ask("created", () => labels.createLabel({ label: region }));
    await ask("created without a word", () => labels.createLabel({ label: { key: "region", value: "apac" } }));
    await ask("then", () => labels.listLabels());
    await ask("deleted", () => labels.deleteLabel("region", "emea"));
    await ask("deleted again", () => labels.deleteLabel("region", "emea"));
    await ask("in the end", () => labels.listLabels());
  },

  async audit() {
    const made = await ask("a group", () => groups.createUserGroup({ name: "Analysts" }));
    const id = made && made.userGroup.id;
    await ask("renamed", () => groups.updateUserGroup(id, { name: "Data" }));
    await ask("a label", () => labels.createLabel({ label: { key: "region", value: "emea" } }));
    const trail = (...by) => (page) => audit.listAuditEvents(page, ...by);
    const [past, future] = ["2020-01-01T00:00:00Z", "2100-01-01T00:00:00+02:00"];
    await walk("all", 2, "events", trail());
    const ours = await walk("of the group", 1, "events", trail(undefined, undefined, id));
    const type = ours.length ? ours[0].resourceType : "none";
    await walk("of its type", 100, "events", trail(undefined, undefined, undefined, type));
    await walk("of that time", 100, "events", trail(past, future, id));
    await walk("of the future", 100, "events", trail(future));
    await walk("of the past", 100, "events", trail(undefined, past));
  },

  // Whatever is asked of what is not there.
  async missing() {
    const { user, group } = facts;
    const permissions = [{ roleId: await idOf("Source Admin"), resources: [everything()] }];
    await ask("getUser", () => users.getUser(user));
    await ask("deleteUsers", () => users.deleteUsers([user]));
    await ask("listUserGroupsFromUser", () => users.listUserGroupsFromUser(user, anyone));
    await ask("addPermissionsToUser", () => users.addPermissionsToUser(user, { permissions }));
    await ask("replacePermissionsForUser", () => users.replacePermissionsForUser(user, { permissions }));
    await ask("getUserGroup", () => groups.getUserGroup(group));
    await ask("updateUserGroup", () => groups.updateUserGroup(group, { name: "N" }));
    await ask("deleteUserGroup", () => groups.deleteUserGroup(group));
    await ask("listUsersFromUserGroup", () => groups.listUsersFromUserGroup(group, anyone));
    await ask("addUsersToUserGroup", () => groups.addUsersToUserGroup(group, { emails: [facts.email] }));
    await ask("replaceUsersInUserGroup", () => groups.replaceUsersInUserGroup(group, { emails: [facts.email] }));
    await ask("removeUsersFromUserGroup", () => groups.removeUsersFromUserGroup(group, [facts.email]));
    await ask("addPermissionsToUserGroup", () => groups.addPermissionsToUserGroup(group, { permissions }));
    await ask("replacePermissionsForUserGroup", () => groups.replacePermissionsForUserGroup(group, { permissions }));
    await ask("deleteInvites", () => users.deleteInvites(["nobody@elsewhere.example"]));
    await ask("listInvitesFromUserGroup", () => groups.listInvitesFromUserGroup(group, anyone));
    await ask("deleteLabel", () => labels.deleteLabel("no-such", "label"));
  },

  // Whatever is wrong in itself.
  async wrong() {
    const { user, email } = facts;
    const admin = await idOf("Source Admin");
    const made = await ask("a group", () => groups.createUserGroup({ name: "Analysts" }));
    const group = made && made.userGroup.id;
    await ask("into the group", () => groups.addUsersToUserGroup(group, { emails: [email] }));
    const lists = {
      listUsers: (page) => users.listUsers(page),
      listUserGroupsFromUser: (page) => users.listUserGroupsFromUser(user, page),
      listUserGroups: (page) => groups.listUserGroups(page),
      listUsersFromUserGroup: (page) => groups.listUsersFromUserGroup(group, page),
      listInvites: (page) => users.listInvites(page),
      listInvitesFromUserGroup: (page) => groups.listInvitesFromUserGroup(group, page),
      listRoles: (page) => roles.listRoles(page),
      listAuditEvents: (page) => audit.listAuditEvents(page),
    };
    const pages = {
      "a bad cursor": { count: 2, cursor: "no cursor of ours" },
      "count 0": { count: 0 },
      "count 1001": { count: 1001 },
      "a count in words": { count: "many" },
    };
    for (const [name, list] of Object.entries(lists)) {
      for (const [fault, page] of Object.entries(pages)) await ask(`${name}: ${fault}`, () => list(page));
    }

    const source = { id: facts.source, type: "SOURCE" };
    const permissions = {
      "an unknown role": [{ roleId: "no-such-role", resources: [everything()] }],
      "no role": [{ resources: [everything()] }],
      "no resources": [{ roleId: admin }],
      "an unknown resource": [{ roleId: admin, resources: [{ id: "none", type: "SOURCE" }] }],
      "an unknown type": [{ roleId: admin, resources: [{ id: facts.source, type: "PLANET" }] }],
      "a type that the role is not about": [{ roleId: admin, resources: [{ id: "w", type: "WAREHOUSE" }] }],
      "another workspace": [{ roleId: admin, resources: [{ id: facts.stranger, type: "WORKSPACE" }] }],
      "an unknown label": [{ roleId: admin, resources: [labelled({ key: "no-such", value: "label" })] }],
      "a label on a source": [{ roleId: admin, resources: [{ ...source, labels: [production] }] }],
      "an unknown role beside a known one": [
        { roleId: admin, resources: [source] },
        { roleId: "no-such-role", resources: [source] },
      ],
    };
    for (const [fault, they] of Object.entries(permissions)) {
      await ask(`addPermissionsToUser: ${fault}`, () => users.addPermissionsToUser(user, { permissions: they }));
      await ask(`replacePermissionsForUserGroup: ${fault}`, () =>
        groups.replacePermissionsForUserGroup(group, { permissions: they }),
      );
      await ask(`createInvites: ${fault}`, () =>
        users.createInvites({ invites: [{ email: "new@corp.example", permissions: they.map(besides) }] }),
      );
    }

    const invited = (one) => () => users.createInvites({ invites: [{ email: "new@corp.example" }, { email: one }] });
    await ask("createInvites: no address", invited("new"));
    await ask("createInvites: two addresses", invited("a@corp.example, b@corp.example"));
    await ask("createInvites: a member", invited(email));
    await ask("createInvites: twice", invited("New@corp.example"));
    await ask("createInvites: no one", () => users.createInvites({ invites: [] }));
    await ask("deleteInvites: no one", () => users.deleteInvites([]));
    await ask("deleteUsers: no one", () => users.deleteUsers([]));
    await ask("removeUsersFromUserGroup: no one", () => groups.removeUsersFromUserGroup(group, []));
    await ask("addUsersToUserGroup: a stranger", () =>
      groups.addUsersToUserGroup(group, { emails: ["stranger@elsewhere.example"] }),
    );
    await ask("createUserGroup: no name", () => groups.createUserGroup({ name: "" }));
    await ask("updateUserGroup: no name", () => groups.updateUserGroup(group, { name: " " }));
    await ask("createLabel: there already", () => labels.createLabel({ label: production }));
    await ask("createLabel: a digit first", () => labels.createLabel({ label: { key: "1st", value: "x" } }));
    await ask("createLabel: no value", () => labels.createLabel({ label: { key: "region" } }));
    await ask("listAuditEvents: no time", () => audit.listAuditEvents(anyone, "yesterday"));

    const used = { key: "product", value: "car" };
    await ask("a label", () => labels.createLabel({ label: used }));
    await ask("its use", () =>
      users.addPermissionsToUser(user, { permissions: [{ roleId: admin, resources: [labelled(used)] }] }),
    );
    await ask("deleteLabel: in use", () => labels.deleteLabel("product", "car"));

    await ask("the user", () => users.getUser(user));
    await ask("the group", () => groups.getUserGroup(group));
    await ask("the labels", () => labels.listLabels());
    await ask("the invited", () => users.listInvites(anyone));
  },

  // Every call that there is; whether the ids exist does not matter to one who may not ask.
  async forbidden() {
    const { user, group, email } = facts;
    const permissions = [{ roleId: "source-admin", resources: [everything()] }];
    const label = { key: "region", value: "emea" };
    await ask("listUsers", () => users.listUsers(anyone));
    await ask("getUser", () => users.getUser(user));
    await ask("deleteUsers", () => users.deleteUsers([user]));
    await ask("listUserGroupsFromUser", () => users.listUserGroupsFromUser(user, anyone));
    await ask("addPermissionsToUser", () => users.addPermissionsToUser(user, { permissions }));
    await ask("replacePermissionsForUser", () => users.replacePermissionsForUser(user, { permissions }));
    await ask("listUserGroups", () => groups.listUserGroups(anyone));
    await ask("createUserGroup", () => groups.createUserGroup({ name: "N" }));
    await ask("getUserGroup", () => groups.getUserGroup(group));
    await ask("updateUserGroup", () => groups.updateUserGroup(group, { name: "N" }));
    await ask("deleteUserGroup", () => groups.deleteUserGroup(group));
    await ask("listUsersFromUserGroup", () => groups.listUsersFromUserGroup(group, anyone));
    await ask("addUsersToUserGroup", () => groups.addUsersToUserGroup(group, { emails: [email] }));
    await ask("replaceUsersInUserGroup", () => groups.replaceUsersInUserGroup(group, { emails: [email] }));
    await ask("removeUsersFromUserGroup", () => groups.removeUsersFromUserGroup(group, [email]));
    await ask("addPermissionsToUserGroup", () => groups.addPermissionsToUserGroup(group, { permissions }));
    await ask("replacePermissionsForUserGroup", () => groups.replacePermissionsForUserGroup(group, { permissions }));
    await ask("listInvites", () => users.listInvites(anyone));
    await ask("createInvites", () => users.createInvites({ invites: [{ email: "new@corp.example" }] }));
    await ask("deleteInvites", () => users.deleteInvites(["new@corp.example"]));
    await ask("listInvitesFromUserGroup", () => groups.listInvitesFromUserGroup(group, anyone));
    await ask("listRoles", () => roles.listRoles(anyone));
    await ask("listLabels", () => labels.listLabels());
    await ask("createLabel", () => labels.createLabel({ label }));
    await ask("deleteLabel", () => labels.deleteLabel("environment", "dev"));
    await ask("listAuditEvents", () => audit.listAuditEvents(anyone));
    await ask("getWorkspace", () => workspaces.getWorkspace());
  },
};

scenarios[process.argv[2]]().then(() => process.stdout.write(JSON.stringify(results)));
