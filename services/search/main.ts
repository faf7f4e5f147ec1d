// `node services/search/main.ts --port 4100`: the search service as a process.
import { runCommand } from '../kit/command.ts'
import { startSearch } from './search.ts'

await runCommand({ service: 'search', defaultPort: 4100, start: startSearch })
