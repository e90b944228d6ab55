// Unpacks the browser and prints where it is.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const found = createRequire(`${process.env.NODE_MODULES}/`).resolve("@sparticuz/chromium");
const { default: chromium } = await import(pathToFileURL(found).href);
console.log(await chromium.executablePath());
