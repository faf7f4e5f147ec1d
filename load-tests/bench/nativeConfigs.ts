// The configurations of nginx, HAProxy and Caddy: one worker, no log, connections kept alive on both sides.
// The danger it guards against: a peer that is slow because it was set up so. Each line that is not a default says why.
import { join } from 'node:path'

interface Sides {
  readonly port: number
  readonly originPort: number
}

/** What both nginx servers of the bench, the proxy and the origin, have in common. */
function nginx(folder: string, inHttp: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;  # the default, 1000, would make it reconnect
${temporary.map((name) => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
${inHttp}
}
`
}

export function nginxProxy({ port, originPort, folder }: Sides & { readonly folder: string }): string {
  return nginx(
    folder,
    `  client_body_buffer_size 64k;    # no body goes to a file
  proxy_max_temp_file_size 0;     # no answer goes to a file
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 256;                # without it: a connection for each request
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }`,
  )
}

/** @param site the folder with the files that it answers with. @param post what it answers to POST at /bench/post */
export function nginxOrigin(
  folder: string,
  { port, site, post }: { port: number; site: string; post: string },
): string {
  return nginx(
    folder,
    `  sendfile on;
  open_file_cache max=16 inactive=1h;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${site};
    location = /bench/post { return 200 "${post}"; }
  }`,
  )
}

export function haproxy({ port, originPort }: Sides): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
  option forwardfor
listen proxy
  bind 127.0.0.1:${port}
  server origin 127.0.0.1:${originPort}
`
}

export function caddy({ port, originPort }: Sides): string {
  // The default, 32 idle connections to a host, would make it reconnect under 64.
  return `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${originPort} {
    transport http {
      keepalive_idle_conns 256
      keepalive_idle_conns_per_host 256
    }
  }
}
`
}
