// Every parser of what comes from outside, with what has to hold for whatever it is given: what is right is read, what is
// wrong is an error with a code or nothing, and never anything else. A file a source; each adds to the table.
import './parsers/bootstrap.ts';
import './parsers/files.ts';
import './parsers/http.ts';
import './parsers/hub.ts';
import './parsers/layers.ts';
import './parsers/local.ts';
import './parsers/logins.ts';
import './parsers/oci.ts';
import './parsers/reports.ts';
import './parsers/services.ts';
import './parsers/statements.ts';

export { PARSERS } from './parsers/table.ts';
