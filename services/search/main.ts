// `node services/search/main.ts --port 4100 [--issuers NAME=URL,… --audience NAME]`: the search service as a process.
import { runCommand } from '../kit/command.ts'
import { startSearch } from './search.ts'

await runCommand({ service: 'search', defaultPort: 4100, mayTrust: true, start: startSearch })
