import js from "@eslint/js";
import globals from "globals";

export default [
    js.configs.recommended,
    {
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            // What Odoo's web client puts into every module's reach.
            globals: { ...globals.browser, odoo: "readonly", luxon: "readonly", Chart: "readonly" },
        },
        rules: {
            "no-console": ["error", { allow: ["warn", "error"] }],
            "no-var": "error",
            "prefer-const": "error",
            eqeqeq: "error",
            complexity: ["error", 16],
        },
    },
];
