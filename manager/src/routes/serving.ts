import type { RunTails } from '../live/run-tails.ts';
import type { AppendNews } from '../services/append-events.ts';
import type { Manager } from '../services/manager.ts';
import type { WithVolumes } from '../services/session-storage.ts';

/** What the routes work with. */
export type Serving = Manager &
  WithVolumes & {
    readonly news: AppendNews;
    readonly tails: RunTails;
    /** Id of the newest migration that this manager knows. */
    readonly latestMigration: string;
  };
