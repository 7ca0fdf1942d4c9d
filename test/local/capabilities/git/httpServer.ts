import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"
import { serveHttp } from "../../egress/servers.js"

const cgi = (root: string, request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url ?? "/", "http://localhost")
  const child = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_USER: "somebody",
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "")
    },
    stdio: ["pipe", "pipe", "ignore"]
  })
  child.stdin.on("error", () => undefined)
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  let isBody = false
  child.stdout.on("data", (chunk: Buffer) => {
    if (isBody) return void response.write(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf("\r\n\r\n")
    if (end === -1) return
    isBody = true
    let status = 200
    for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
      const colon = line.indexOf(":")
      const name = line.slice(0, colon)
      const value = line.slice(colon + 1).trim()
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.write(head.subarray(end + 4))
  })
  child.stdout.on("end", () => response.end())
}

/** Serves the repositories below a folder by HTTP, and odd answers below `/odd/`. */
export const serveGit = (root: string) => {
  const hosts: Array<string | undefined> = []
  return Effect.map(
    serveHttp((request, response) => {
      hosts.push(request.headers.host)
      const path = request.url ?? ""
      if (path.startsWith("/odd/secret")) return response.writeHead(401, { "www-authenticate": "Basic" }).end()
      if (path.startsWith("/odd/moved")) {
        return response.writeHead(302, { location: path.replace("/odd/moved", "/one.git") }).end()
      }
      if (path.startsWith("/odd/away")) {
        return response.writeHead(302, { location: "http://169.254.169.254/latest/info/refs" }).end()
      }
      if (path.startsWith("/odd/slow")) return response.write("001e# service=git-upload-pack\n")
      // As a server that knows nothing of git would give its files.
      if (path.startsWith("/dumb/")) {
        const file = join(root, path.slice("/dumb".length).replace(/\?.*/, ""))
        if (!fs.existsSync(file)) return response.writeHead(404).end()
        return response.writeHead(200, { "content-type": "text/plain" }).end(fs.readFileSync(file))
      }
      return cgi(root, request, response)
    }),
    (server) => ({ ...server, hosts })
  )
}
