// A front server with http-proxy-middleware and morgan; OPTIONS (JSON in the environment) says what is wrong.
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";
import morgan from "morgan";

const { port, target, auth, headers, lowerScheme, doubled, cookieToken } = JSON.parse(process.env.OPTIONS);
const app = express();
app.set("trust proxy", true);
app.use(morgan(":date[iso] :remote-addr :method :url :status :res[content-length] - :response-time ms"));
app.use(createProxyMiddleware({
  target, changeOrigin: true, xfwd: true, ...(auth ? { auth } : {}), ...(headers ? { headers } : {}),
  on: {
    proxyReq(out, request) {
      const given = request.headers.authorization;
      if (lowerScheme && given) out.setHeader("authorization", given.toLowerCase());
      if (doubled && given) out.setHeader("authorization", `Bearer ${given}`);
      const cookie = /session=([^;]+)/.exec(request.headers.cookie ?? "");
      if (cookieToken) out.setHeader("authorization", `Bearer ${cookie?.[1]}`);
    },
    error(error, request, response) {
      console.error(`[HPM] Error occurred while proxying request ${request.headers.host}${request.url} to ${target} [${error.code}]`);
      response.writeHead(502).end();
    },
  },
}));
app.listen(port, "127.0.0.1", () => console.log(`front listens on ${port}`));
