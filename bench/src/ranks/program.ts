/** The program of `onecopy bench`, run by every rank: see `protocol.ts`. */
import { measure } from './measure.ts';
import { serve } from './serving.ts';

await serve(measure);
