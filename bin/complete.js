#!/usr/bin/env node
import {printCompletions} from '../dist/complete.js';

printCompletions(process.argv.slice(2));
