#!/usr/bin/env node
// Weighbridge: https://github.com/__REPOSITORY__  Licenses of what is in this file: at its end.
// Old versions of Node.js get as far as this, which is why nothing is imported by a statement.
{
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < __MAJOR__ || (major === __MAJOR__ && minor < __MINOR__)) {
    process.stderr.write(
      'weighbridge: Node.js __MAJOR__.__MINOR__ or later is needed, and this is ' +
        process.versions.node +
        '\n' +
        '  Install it from https://nodejs.org, or with your version manager.\n',
    );
    process.exit(2);
  }
}
