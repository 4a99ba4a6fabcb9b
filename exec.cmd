@rem npm start and npm run dev say "exec", so that on other systems the shell makes way for the program and Ctrl-C,
@rem SIGTERM and the exit code reach who they should. Windows has no such word; here it means: run the rest.
@%*
