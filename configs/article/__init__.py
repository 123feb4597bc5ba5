"""The article's problem, tuned through hptune's command line: five configs, a demo, and the same over 200 seeds."""
