// What `npm start` says once everything is up: where things are, what to try, how to move the first path.
import { relative } from 'node:path'
import type { Doors } from './news.ts'

export function greeting({ public: site, admin, probes }: Doors, logFile: string): string {
  return `
The site, through the gateway   ${site}
What operators see              ${admin}/status   ${admin}/metrics
Probes                          ${probes}/readyz
Each request, one JSON line     ${relative(process.cwd(), logFile)}

Try:
  curl -i '${site}/api/search?q=rotterdam'
  curl -i ${site}/api/whoami
  curl -s ${admin}/status

Move the first path: in routes.yaml, change the stage of the route "search" from legacy to live and save.
The next request is answered by the new service; back to legacy, and it is the monolith again.

Ctrl-C stops everything.`
}
