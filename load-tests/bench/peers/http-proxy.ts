// The peer http-proxy. Without an agent it would open a connection for each request.
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'

const [originPort, port] = process.argv.slice(2).map(Number)
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 256 }),
  xfwd: true,
})
proxy.on('error', (_error, _request, response) => void response.destroy())
createServer({ keepAliveTimeout: 75_000 }, (request, response) => proxy.web(request, response)).listen(
  port,
  '127.0.0.1',
)
