// An Express application that signs people in with Auth.js, by the settings of docs/relying-parties.md (`auth.mjs`).

import { join } from "node:path";
import { ExpressAuth, getSession } from "@auth/express";
import express from "express";

const [folder, port] = process.argv.slice(2);
const { config } = await import(join(folder, "auth.mjs"));

const app = express();
app.use("/auth", ExpressAuth(config));
app.get("/", async (request, response) => response.json((await getSession(request, config))?.user ?? null));
app.listen(port, "127.0.0.1", () => console.log("ready"));
