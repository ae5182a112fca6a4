from actors.cli.main import main

main()
