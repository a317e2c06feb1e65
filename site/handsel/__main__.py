from handsel.cli import main

main()
