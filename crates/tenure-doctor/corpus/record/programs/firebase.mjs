// An orders API with the Firebase Admin SDK; no key of Google's is needed for what it refuses here.
import express from "express";
import { initializeApp } from "firebase-admin/app";
import { getAuth } from "firebase-admin/auth";
import morgan from "morgan";

const o = { project: "", quiet: false, ...JSON.parse(process.env.OPTIONS) };
initializeApp({ projectId: o.project });
const app = express();
app.set("trust proxy", true);
app.use(morgan("short"));
app.get("/health", (_request, response) => response.send("ok"));
app.use("/api", async (request, response, next) => {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (!token) return void response.status(401).json({ error: "No token provided" });
  try {
    request.user = await getAuth().verifyIdToken(token);
    next();
  } catch (error) {
    console.error("Error verifying Firebase ID token:", error.code, error.message);
    response.status(401).json(o.quiet ? { error: "Unauthorized" } : { error: error.code, message: error.message });
  }
});
app.get("/api/orders", (request, response) => response.json({ orders: [], user: request.user.uid }));
app.listen(o.port, "127.0.0.1", () => console.log(`listening on ${o.port} for project ${o.project}`));
