// SCIMMY behind Express, with a store in memory: a map, and an index of userNames for the filter of a look-up.

import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";
import {randomUUID} from "node:crypto";

class Store {
    rows = new Map();
    byName = new Map();

    constructor(kind, name) {
        this.kind = kind;
        this.name = name;
    }

    ingress = (resource, data) => {
        const id = resource.id ?? randomUUID(), before = this.rows.get(id), now = new Date().toISOString();
        if (resource.id && !before) throw new SCIMMY.Types.Error(404, null, `There is no ${this.kind} ${id}`);
        const name = String(data[this.name]).toLowerCase(), owner = this.byName.get(name);
        if (owner !== undefined && owner !== id) throw new SCIMMY.Types.Error(409, "uniqueness", `${name} is taken`);
        if (before) this.byName.delete(String(before[this.name]).toLowerCase());
        this.byName.set(name, id);
        const meta = {resourceType: this.kind, created: before?.meta.created ?? now, lastModified: now};
        const row = {...JSON.parse(JSON.stringify(data)), id, meta};
        this.rows.set(id, row);
        return row;
    };

    egress = (resource) => {
        if (resource.id) {
            const row = this.rows.get(resource.id);
            if (!row) throw new SCIMMY.Types.Error(404, null, `There is no ${this.kind} ${resource.id}`);
            return row;
        }
        const wanted = this.#named(resource.filter);
        if (wanted !== undefined) return this.byName.has(wanted) ? [this.rows.get(this.byName.get(wanted))] : [];
        const all = [...this.rows.values()];
        return resource.filter ? resource.filter.match(all) : all;
    };

    degress = (resource) => {
        const row = this.rows.get(resource.id);
        if (!row) throw new SCIMMY.Types.Error(404, null, `There is no ${this.kind} ${resource.id}`);
        this.byName.delete(String(row[this.name]).toLowerCase());
        this.rows.delete(resource.id);
    };

    // What a filter of one equality asks for, so that a look-up need not walk through everybody.
    #named(filter) {
        const [operator, value] = (filter?.length === 1 && filter[0][this.name]) || [];
        return operator === "eq" ? String(value).toLowerCase() : undefined;
    }
}

for (const [kind, name] of [["User", "userName"], ["Group", "displayName"]]) {
    const {ingress, egress, degress} = new Store(kind, name);
    SCIMMY.Resources.declare(SCIMMY.Resources[kind], {ingress, egress, degress});
}

const handler = (request) => {
    if (request.header("Authorization") !== `Bearer ${process.env.PEER_TOKEN}`) throw new Error("The bearer token is missing");
    return "bench";
};
const app = express();
app.use("/scim/v2", new SCIMMYRouters({type: "bearer", handler}));
const server = app.listen(Number(process.env.PEER_PORT), "127.0.0.1");
server.keepAliveTimeout = 0;
