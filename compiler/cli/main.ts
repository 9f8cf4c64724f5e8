#!/usr/bin/env node
/** The command line: a thin user of the library. */
import process from 'node:process';
import { runCommandLine } from './command-line.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
